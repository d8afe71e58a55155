# SPDX-License-Identifier: GPL-2.0-or-later
"""Making a build directory: configuration, generated headers, recorded commands.

Nothing of the kernel is compiled: kbuild runs with a stand-in for its compiler
(:mod:`ctxlint.kbuild.standin`), first as the real one for the configuration and the
generated headers, then recording. Everything lands in the cache; the tree is only read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ctxlint.base.errors import UsageError
from ctxlint.base.levels import Level
from ctxlint.kbuild import arch as arches
from ctxlint.kbuild import commands as reading
from ctxlint.kbuild import config as configs
from ctxlint.kbuild import overlay, sibling, standin, state, toolchain, tree
from ctxlint.kbuild.commands import RawCommand
from ctxlint.kbuild.make import Build, failure
from ctxlint.kbuild.model import (
    CompileCommand,
    Log,
    NoRealTimeError,
    Prepared,
    ProfileSpec,
    Step,
    Tree,
    quiet,
)

#: Neither build objtool (15 s of CPU, and it needs libelf) nor run it over empty objects; no
#: device tree compiler either (3 s). Only makefiles ask for these options; headers get them
#: from the configuration.
_NO_TOOLS = ("CONFIG_OBJTOOL=", "CONFIG_DTC=")


def prepare(
    source: Tree,
    *,
    arch: str,
    config: str,
    rt: bool,
    paths: Iterable[str],
    cache: Path,
    jobs: int = 0,
    log: Log = quiet,
    progress: Step | None = None,
    overrides: Mapping[str, bytes | None] | None = None,
    make: bool = True,
) -> Prepared:
    """The compile commands of the C files at or below ``paths`` under one profile.

    ``config`` is a configuration target or the path of a ``.config``. The build directory
    in ``cache`` is made when there is none for this tree, profile and toolchain, and is
    brought up to date when Kconfig files, Makefiles or inputs of generated headers changed.
    ``overrides`` are files of the tree (by name, None: not there) that the build system is to
    see with another content; it then works on a view of the tree, in a build directory of
    its own.

    All of this runs the tree's own Makefiles, and programs that they build. That is said,
    as a warning, before it happens the first time for a tree. Without ``make`` it does not
    happen: :class:`UsageError` when the profile is not there already.

    Raises :class:`TreeError` when the tree does not configure or cannot have PREEMPT_RT,
    :class:`ToolMissingError` for a missing program, :class:`UsageError` for a wrong name.
    """
    names = tree.normal_paths(source, paths)
    arch = arches.check(source.path, arch)
    spec = ProfileSpec(arch=arch, config=config, rt=rt)
    work = _Work.open(source, spec, cache, jobs, log, progress, overrides or {}, make)
    return work.run(names)


def ready(
    source: Tree, *, arch: str, config: str, rt: bool, paths: Iterable[str], cache: Path
) -> bool:
    """Whether :func:`prepare` would have nothing to make, and nobody to wait for."""
    names = tree.normal_paths(source, paths)
    spec = ProfileSpec(arch=arches.check(source.path, arch), config=config, rt=rt)
    return _Work.open(source, spec, cache, 1, quiet, None, {}).ready(names)


def inputs(source: Tree, done: Prepared, files: Iterable[str]) -> tuple[list[str], list[str]]:
    """What the commands for ``files`` come from, by full names: first what others write,
    then what ctxlint itself does, in a build directory of its own."""
    if done.own:
        path = done.build / ".ctxlint/state.json"
        known = state.inputs_in(path)
        own = {file for file in known if file.startswith(f"{done.build}/")}
        return [file for file in known if file not in own], [str(path), *sorted(own)]
    found = [".config", "include/config/auto.conf", "compile_commands.json"]
    named = [str(done.build / name) for name in found]
    for directory in build_directories(source, arches.srcarch(done.arch), files):
        for root, _directories, names in os.walk(done.build / directory):
            named += [root, *(f"{root}/{name}" for name in names if name.endswith(".cmd"))]
    return named, []


def add_paths(
    source: Tree,
    prepared: Prepared,
    paths: Iterable[str],
    *,
    jobs: int = 0,
    log: Log = quiet,
    progress: Step | None = None,
) -> Prepared:
    """``prepared`` (of :func:`prepare`) with the commands of further paths.

    Costs a second or two of kbuild for directories that were never asked for in this
    build directory, next to nothing for the others. Where kbuild must not run the former
    are left out.
    """
    names = tree.normal_paths(source, (*prepared.paths, *paths))
    spec = ProfileSpec(arch=prepared.arch, config=prepared.config, rt=prepared.rt)
    cache = prepared.build.parent.parent
    work = _Work.open(
        source, spec, cache, jobs, log, progress, prepared.overrides, prepared.make
    )
    if not prepared.make:
        names = work.at_hand(names)
    return work.run(names)


@dataclass
class _Runs:
    """Runs of make that bringing a build directory up to date takes, and those begun."""

    total: int = 0
    begun: int = 0

    def next(self, targets: Iterable[str], progress: Step | None) -> Step | None:
        """What to tell the steps of the next run to, so that they say how far it is."""
        self.begun += 1
        if progress is None:
            return None
        where = f"{self.begun} of {max(self.total, self.begun)}, make {' '.join(targets)}: "
        return lambda text: progress(where + text)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One build directory and what it is made from."""

    tree: Tree
    spec: ProfileSpec
    build: Build
    config_file: Path | None
    key: str
    log: Log
    progress: Step | None
    overrides: Mapping[str, bytes | None]
    make: bool = True
    runs: _Runs = field(default_factory=lambda: _Runs())

    @staticmethod
    def open(
        source: Tree,
        spec: ProfileSpec,
        cache: Path,
        jobs: int,
        log: Log,
        progress: Step | None,
        overrides: Mapping[str, bytes | None],
        make: bool = True,
    ) -> _Work:
        config_file = _config_file(spec.config)
        if config_file is not None:
            spec = replace(spec, config=str(config_file))
        chain = toolchain.find_toolchain()
        identity = json.dumps([str(source.path), spec.config, *_digests(overrides)])
        digest = hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()
        directory = cache.resolve() / "builds" / f"{spec.name}-{digest}"
        if re.search(r"[\s:]", str(directory)) or re.search(r"[\s:]", str(source.path)):
            raise UsageError(
                f"{directory}, {source.path}: kbuild does not accept blanks or colons",
                hint="Move the tree, or name another cache with --cache.",
            )
        own = directory / ".ctxlint"
        unclean = overlay.needed(source.path, arches.srcarch(spec.arch))
        build = Build(
            source=_view(directory) if unclean or overrides else source.path,
            directory=directory,
            arch=spec.arch,
            toolchain=chain,
            compiler=own / "cc",
            jobs=jobs or os.cpu_count() or 1,
            log_file=own / "make.log",
        )
        parts = [
            identity,
            source.version,
            unclean,
            chain.identity,
            chain.llvm,
            configs.fragment(rt=spec.rt),
            config_file.read_text(errors="replace") if config_file else "",
            standin.script(own, chain),
        ]
        key = hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
        return _Work(
            tree=source,
            spec=spec,
            build=build,
            config_file=config_file,
            key=key,
            log=log,
            progress=progress,
            overrides=overrides,
            make=make,
        )

    @property
    def directory(self) -> Path:
        return self.build.directory

    @property
    def own(self) -> Path:
        return self.directory / ".ctxlint"

    @property
    def lock(self) -> Path:
        return self.directory.with_name(self.directory.name + ".lock")

    @property
    def srcarch(self) -> str:
        return arches.srcarch(self.spec.arch)

    def run(self, paths: tuple[str, ...]) -> Prepared:
        """Bring the build directory up to date and read the commands of ``paths``."""
        if not self.make:
            self._check_ready(paths)
            return self.result(paths)
        with state.locked(self.lock, self.log) as held:
            work = replace(self, build=replace(self.build, held=(held,)))
            work.recorded(work.configured(), paths)
            return work.result(paths)

    def ready(self, paths: tuple[str, ...]) -> bool:
        """Whether :meth:`run` would only read. Takes no lock for longer than a moment."""
        if self.spec.rt and not configs.may_have_rt(self.tree.path, self.srcarch):
            return True  # there is no such profile, which is told at once
        if not state.is_free(self.lock):
            return False
        now = state.load(self.own / "state.json", self.key)
        if now is None or now.stale:
            return False
        inputs = now.config_inputs, now.header_inputs, now.makefile_inputs
        if any(state.changed(some) is not None for some in inputs):
            return False
        wanted = build_directories(self.tree, self.srcarch, paths)
        return all(tree.below(directory, now.recorded) for directory in wanted)

    def at_hand(self, paths: tuple[str, ...]) -> tuple[str, ...]:
        """Those of ``paths`` whose commands are recorded already."""
        now = state.load(self.own / "state.json", self.key)
        known = now.recorded if now is not None else []
        return tuple(
            path
            for path in paths
            if all(
                tree.below(directory, known)
                for directory in build_directories(self.tree, self.srcarch, (path,))
            )
        )

    def _check_ready(self, paths: tuple[str, ...]) -> None:
        if self.spec.rt and not configs.may_have_rt(self.tree.path, self.srcarch):
            raise self._no_rt()
        if not self.ready(paths):
            raise UsageError(
                f"{self.spec.name} of {self.tree.path} is not prepared (or not up to date), "
                "and the tree's Makefiles must not be run",
                hint="name a build of yours with --build or, if you trust the tree, run: "
                f"ctxlint prepare {' '.join(paths)} (with the same options)",
            )

    def _warn(self) -> None:
        """Say once for a tree that its Makefiles run."""
        if state.first_time(self.directory.parent / ".told", self.tree):
            self.log(
                "warning",
                f"the Makefiles of {self.tree.path} are run to configure it (make prepare, "
                "host programs); --no-make forbids that, --build avoids it",
            )

    def save(self, now: state.State) -> state.State:
        state.save(self.own / "state.json", now)
        return now

    def configured(self) -> state.State:
        """The state of the directory once it is configured with its headers generated."""
        if self.spec.rt and not configs.may_have_rt(self.tree.path, self.srcarch):
            raise self._no_rt()
        now = state.load(self.own / "state.json", self.key)
        if now is not None:
            reason = state.changed(now.config_inputs)
            if reason is None:
                return self._headers(now)
            self.log("info", f"{reason} changed: {self.spec.name} is configured again")
        elif self.directory.exists():
            self.log("debug", f"{self.directory}: unfinished or out of date, made again")
        if self.directory.exists():
            (self.own / "state.json").unlink(missing_ok=True)
            shutil.rmtree(self.directory)
        toolchain.check_programs()
        base = self._begin_as_the_other_profile()
        given = base if base is not None else self.config_file
        direct = given is not None or _takes_forced(self.spec.config)
        self.runs.total = 3 if direct else 4
        self._warn()
        self.log(
            "notice",
            f"configuring {self.spec.name}, once: about half a minute (no kernel code is "
            "compiled)",
        )
        self.log("info", f"it is kept in {self.directory}")
        if self.build.source != self.tree.path:
            self.log(
                "info", f"a view of {self.tree.path} is used, without what was built in it"
            )
            overlay.make(self.tree.path, self.srcarch, self.build.source, self.overrides)
        target = standin.target_triple(self.tree.path, self.srcarch)
        standin.write(self.own, self.build.toolchain, target)
        if base is not None:
            (self.own / sibling.BASE_CONFIG).write_bytes(base)
        self._configure()
        self._make_headers()
        now = state.State(
            key=self.key,
            config_inputs=state.config_inputs(self.tree, self.directory, self.srcarch),
            header_inputs=state.header_inputs(self.build.source, self.directory),
        )
        return self.save(now)

    def _begin_as_the_other_profile(self) -> bytes | None:
        """Copy the build directory of the other profile of this tree, where that is made and
        up to date; what its configuration target gave."""
        spec = replace(self.spec, rt=not self.spec.rt)
        other = _Work.open(
            self.tree, spec, self.directory.parent.parent, 1, quiet, None, self.overrides
        )
        base = other.own / sibling.BASE_CONFIG
        if not state.is_free(other.lock) or not base.is_file():
            return None
        with state.locked(other.lock, quiet):
            now = state.load(other.own / "state.json", other.key)
            if now is None or any(
                state.changed(some) is not None
                for some in (now.config_inputs, now.header_inputs)
            ):
                return None
            sibling.copy(other.directory, self.directory)
            return base.read_bytes()

    def _configure(self) -> None:
        part = self.own / "fragment.config"
        part.write_text(configs.fragment(rt=self.spec.rt), encoding="utf-8")
        dot_config = self.directory / ".config"
        base = self.own / sibling.BASE_CONFIG
        if self.config_file is not None:
            shutil.copyfile(self.config_file, dot_config)
        elif base.is_file():
            shutil.copyfile(base, dot_config)
        elif _takes_forced(self.spec.config):
            # These take forced values at once; set afterwards, what was selected or
            # chosen before them could stand in their way.
            self._make([self.spec.config], environment={"KCONFIG_ALLCONFIG": str(part)})
        else:
            self._make([self.spec.config])
        if not _takes_forced(self.spec.config):
            if self.config_file is None:
                shutil.copyfile(dot_config, base)
            merge = str(self.build.source / "scripts/kconfig/merge_config.sh")
            command = ["sh", merge, "-m", "-O", str(self.directory), str(dot_config), str(part)]
            code, output = self.build.run(command, dict(os.environ), None)
            if code:
                raise failure(merge, output, self.build.log_file)
            self._make(["olddefconfig"])
        if self.spec.rt and not configs.is_rt(dot_config):
            raise self._no_rt()
        for name in configs.unwanted(dot_config):
            self.log(
                "debug",
                f"{self.spec.name}: CONFIG_{name} stays on because something selects it",
            )

    def _no_rt(self) -> NoRealTimeError:
        return NoRealTimeError(
            f"PREEMPT_RT cannot be selected: {self.tree.version} on {self.spec.arch}"
            f" with {self.spec.config} does not offer it",
            hint="Use --no-rt here, another architecture, or a tree with the RT patches.",
        )

    def _headers(self, now: state.State) -> state.State:
        reason = state.changed(now.header_inputs)
        if reason is not None:
            self.log("info", f"{reason} changed: generated headers are updated")
            self.runs.total = 2
            self._make_headers()
            now.header_inputs = state.header_inputs(self.build.source, self.directory)
            self.save(now)
        return now

    def _make_headers(self) -> None:
        self._make(["prepare"], variables=_NO_TOOLS)

    def _make(
        self,
        targets: list[str],
        *,
        variables: Iterable[str] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self._warn()
        code, output = self.build.make(
            targets,
            variables=variables,
            environment=environment,
            step=self.runs.next(targets, self.progress),
        )
        if code:
            raise failure("make " + " ".join(targets), output, self.build.log_file)

    def recorded(self, now: state.State, paths: tuple[str, ...]) -> state.State:
        """``now`` with the commands of everything that builds ``paths`` recorded."""
        reason = state.changed(now.makefile_inputs)
        if reason is not None:
            self.log("info", f"{reason} changed: compile commands are recorded again")
            now.stale, now.recorded, now.makefile_inputs = now.recorded, [], {}
            self.save(now)
        if now.stale:
            self._forget(now)
        wanted = build_directories(self.tree, self.srcarch, paths)
        missing = [d for d in wanted if not tree.below(d, now.recorded)]
        if not missing:
            return now
        self._warn()
        self.log("info", f"recording the compile commands of {' '.join(missing)}")
        targets = [f"{directory}/" for directory in missing]
        code, output = self.build.make(
            targets,
            variables=_NO_TOOLS,
            record=True,
            step=self.runs.next(targets, self.progress),
        )
        if code:
            self._check_make_result(output, missing)
        covered = [d for d in now.recorded if not tree.below(d, missing)]
        now.recorded = sorted({*covered, *missing})
        now.makefile_inputs |= state.makefile_inputs(self.tree, missing)
        return self.save(now)

    def records(self, directories: list[str]) -> Iterator[RawCommand]:
        """The commands recorded for ``directories``, in the tree's own names."""
        return _records(self.tree, self.directory, directories)

    def _check_make_result(self, output: str, directories: list[str]) -> None:
        """make failed somewhere: is what it was for there all the same?

        kbuild has no rule for a directory that the configuration leaves out. Steps after
        the compiler may fail on empty objects and are not what is wanted.
        """
        absent = set(re.findall(r"No rule to make target '([^']+)/'", output))
        others = [d for d in directories if d not in absent]
        for directory in sorted(absent.intersection(directories)):
            self.log("debug", f"{directory}: nothing there is built by {self.spec.name}")
        empty = [d for d in others if next(self.records([d]), None) is None]
        if others and empty == others:
            raise failure("make " + " ".join(others), output, self.build.log_file)
        lost = set(re.findall(r"No rule to make .*'([^' ]+)\.o'", output))
        for name in sorted({*empty, *lost}):
            self.log("warning", f"{name}: no compile command, see {self.build.log_file}")
        if others and not empty and not lost:
            self.log("debug", f"steps after the compiler failed, see {self.build.log_file}")

    def _forget(self, now: state.State) -> None:
        """Remove records and their objects, so that kbuild makes them again."""
        for directory in now.stale:
            for root, _directories, names in os.walk(self.directory / directory):
                for name in names:
                    if name.startswith(".") and name.endswith(".o" + reading.RECORD_SUFFIX):
                        stem = name[1 : -len(reading.RECORD_SUFFIX)]
                        Path(root, name).unlink(missing_ok=True)
                        Path(root, stem).unlink(missing_ok=True)
        now.stale = []
        self.save(now)

    def result(self, paths: tuple[str, ...]) -> Prepared:
        wanted = build_directories(self.tree, self.srcarch, paths)
        raw = self.records(wanted)
        target = standin.target_triple(self.tree.path, self.srcarch)
        said: list[str] = []

        def log(level: Level, message: str) -> None:
            said.append(level)
            self.log(level, message)

        commands = reading.compile_commands(
            self.tree, self.directory, raw, target=target, log=log
        )
        done = prepared(self.tree, self.spec, self.directory, commands, paths, own=True)
        return replace(done, overrides=self.overrides, make=self.make, warned="warning" in said)


def prepared(
    source: Tree,
    spec: ProfileSpec,
    build: Path,
    commands: dict[str, CompileCommand],
    paths: tuple[str, ...],
    *,
    own: bool,
) -> Prepared:
    """Choose the commands of ``paths`` and find what has none."""
    chosen = {file: c for file, c in commands.items() if tree.below(file, paths)}
    uncovered = [file for file in tree.c_files(source, paths) if file not in chosen]
    if uncovered:
        included = tree.included_c_files(source, chosen)
        uncovered = [file for file in uncovered if file not in included]
    return Prepared(
        spec_name=spec.name,
        arch=spec.arch,
        rt=spec.rt,
        config=spec.config,
        build=build,
        commands=tuple(chosen[file] for file in sorted(chosen)),
        uncovered=tuple(uncovered),
        paths=paths,
        own=own,
    )


def _takes_forced(config: str) -> bool:
    """Whether a configuration target takes forced values by itself."""
    return re.fullmatch(r"(all\w*|rand)config", config) is not None


def write_database(source: Tree, done: Prepared) -> Path:
    """All commands known in a build directory as ``compile_commands.json``, for other tools.

    They are exact: what the compiler would have been given. A build directory that is not
    ours is left alone: the answer is its own database, or the directory when it has none.
    """
    path = done.build / "compile_commands.json"
    if not done.own:
        return path if path.is_file() else done.build
    compiler = str(toolchain.find_toolchain().clang)
    entries = [
        {
            "directory": str(raw.directory),
            "file": raw.source,
            "output": raw.output,
            "arguments": [compiler, *raw.arguments, raw.source],
        }
        for raw in _records(source, done.build, ["."])
    ]
    new = path.with_name(path.name + ".new")
    new.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    new.replace(path)
    return path


def _digests(files: Mapping[str, bytes | None]) -> list[str]:
    return [
        f"{name} {'-' if data is None else hashlib.blake2b(data, digest_size=12).hexdigest()}"
        for name, data in sorted(files.items())
    ]


def _view(build: Path) -> Path:
    """Where the clean view of an unclean tree is, for the build directory ``build``."""
    return build.with_name(build.name + ".src")


def _records(source: Tree, build: Path, directories: list[str]) -> Iterator[RawCommand]:
    return overlay.undo(reading.read_records(build, directories), source.path, _view(build))


def _config_file(config: str) -> Path | None:
    """The file when ``config`` names one, None for a target; UsageError for neither."""
    if re.fullmatch(r"[A-Za-z0-9_][\w.-]*config", config) and "/" not in config:
        return None
    path = Path(config)
    if not path.is_file():
        raise UsageError(
            f"{config}: neither a configuration target nor a file",
            hint="Use defconfig, allmodconfig, another target, or the path of a .config.",
        )
    return path.resolve()


def build_directories(source: Tree, srcarch: str, paths: Iterable[str]) -> list[str]:
    """The directories to ask kbuild for, so that it visits all of ``paths``.

    A directory without a Makefile of its own is built from one above it. The answer is
    sorted and holds no directory below another.
    """
    found: set[str] = set()
    for path in paths:
        if path in (".", "arch"):
            found.update(_top_directories(source, srcarch, everything=path == "."))
            continue
        directory = Path(path)
        if not (source.path / directory).is_dir():
            directory = directory.parent
        while directory.parts and not any(
            (source.path / directory / name).is_file() for name in ("Kbuild", "Makefile")
        ):
            directory = directory.parent
        parts = directory.parts
        foreign = parts[:1] == ("arch",) and parts[1:2] != (srcarch,)
        if parts and parts[0] not in tree.NOT_KERNEL and not foreign:
            found.add(directory.as_posix())
    return sorted(d for d in found if not tree.below(d, found - {d}))


def _top_directories(source: Tree, srcarch: str, *, everything: bool) -> set[str]:
    names = {f"arch/{srcarch}"}
    if everything:
        for entry in source.path.iterdir():
            if entry.name not in tree.NOT_KERNEL and any(
                (entry / name).is_file() for name in ("Kbuild", "Makefile")
            ):
                names.add(entry.name)
    return {name for name in names if (source.path / name).is_dir()}
