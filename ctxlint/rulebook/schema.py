# SPDX-License-Identifier: GPL-2.0-or-later
"""What a rule file may say: the typed schema of ``rules/``.

Every class is one YAML mapping; unknown keys are errors. Functions are named by
a C prototype and their arguments by the parameter names of that prototype.

Conditions (``when``) are C expressions over parameter names and the names of
``rules/constants.yaml``; any other name is an error. They are evaluated in
three values: true, false, unknown. The first case whose condition is true is
taken; an unknown condition makes that case and the following ones possible.

Effects are short phrases:

    irq off | irq on | irq save ARG | irq restore ARG
    preempt +1 | preempt -1        bh +1 | bh -1
    rcu +1 | rcu -1                migrate +1 | migrate -1
    lock KIND ARG | unlock KIND ARG        (KIND: a name of rules/locks.yaml)
    held ARG                               (in ``states`` only: the type of ARG tells KIND)

``save RESULT`` (literally) means that the saved state is the return value.

``tree`` restricts a case or a choice to trees that have (or lack) something, by its
presence and not by a version: ``FILE:WORD`` holds when that file of the tree has the
word, ``!FILE:WORD`` when it has not (:mod:`ctxlint.rulebook.fitting`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["spin", "config", "sleep"]
"""Wait type of an operation, as lockdep has it (include/linux/lockdep_types.h)."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Case(_Strict, frozen=True, kw_only=True):
    """A requirement under a condition.

    ``certainty`` is ``may`` when the outcome depends on data that no static
    analysis sees (the allocator's state), and ``possible`` when it is a driver behind the
    call that decides, most of them do not wait, and which one it is the caller's source does
    not say; what is found there is shown with ``--possible``. ``why`` is shown in the report
    ("takes zone->lock, a spinlock_t"), ``profile`` restricts the case.
    """

    level: Level
    when: str = ""
    profile: Literal["any", "rt", "nort"] = "any"
    certainty: Literal["certain", "may", "possible"] = "certain"
    why: str = ""
    tree: str = ""


class Effects(_Strict, frozen=True, kw_only=True):
    """State changes of a call, per profile; ``any`` applies to both.

    ``on`` is ``"nonzero"`` / ``"zero"`` when the effect happens only with such
    a return value (trylocks).
    """

    any: tuple[str, ...] = ()
    rt: tuple[str, ...] = ()
    nort: tuple[str, ...] = ()
    on: Literal["", "nonzero", "zero"] = ""


class ConfigField(_Strict, frozen=True, kw_only=True):
    """A requirement that a structure of the driver decides (regmap_config).

    When the unit has an initialiser of ``record``, the first case whose fields
    are all set (non-zero) gives the level, else ``otherwise``. A unit without
    such an initialiser leaves the requirement unknown.
    """

    record: str
    cases: tuple[tuple[tuple[str, ...], Level, str], ...]
    otherwise: Level
    why: str = ""


class Behaviour(_Strict, frozen=True, kw_only=True):
    """What functions do whose meaning is a fact, not something to be inferred.

    ``requires``: cases in order; empty means that it never waits (an
    explicitly safe function is a boundary: the analysis does not look inside).
    ``operation``: class of the operation, a key of ``rules/operations.yaml``.
    ``returns``: ``"preempt-count"`` (the context word), ``"irq-flags"`` (the
    saved interrupt state), ``"irqs-disabled ARG"`` (non-zero iff the saved
    state ARG has interrupts off), ``"irqs-disabled"`` (of the moment), ``"same"``
    (the same value at every call in one function: the current task), ``"within MASK"``
    (no bits but those of a number).
    ``relaxed_by``: functions; when the unit calls one, the level ``sleep``
    becomes ``config`` (pm_runtime_irq_safe). ``spins_if_all``: calls that set objects up; in a
    directory with such calls that all fulfil their ``when``, nothing is required (timers that
    expire in hard interrupt context).
    ``inside``: look into the body too, if there is one (default: no). ``opaque``: never
    look into it, not even where it is read: what is seen there depends on state that the
    callers have made before.
    ``runs``: a parameter that is a function; it is called where this one returns non-zero.
    ``before``: effects that happen before the function waits and are undone when it
    returns (it drops the caller's lock): ``requires`` is analysed after them.
    ``legal_in``: context names (rules/contexts.yaml) or fields
    (``in_interrupt``) where it is legal whatever the level says.
    ``states``: effect phrases that hold where it stands, whoever calls: an assertion
    (``irq off``, ``preempt +1``, ``held lock``). It may be a macro that stands for no code.
    """

    operation: str = ""
    requires: tuple[Case, ...] = ()
    config: ConfigField | None = None
    effect: Effects | None = None
    returns: str = ""
    noreturn: bool = False
    relaxed_by: tuple[str, ...] = ()
    spins_if_all: tuple[Called, ...] = ()
    inside: bool = False
    opaque: bool = False
    runs: str = ""
    before: tuple[str, ...] = ()
    legal_in: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    source: str = ""
    note: str = ""


class Api(Behaviour, frozen=True, kw_only=True):
    """One function.

    ``show``: name to report when it differs from the symbol (``kmalloc`` for
    ``kmalloc_noprof``). ``aliases``: other symbols with the same parameters.
    """

    prototype: str
    aliases: tuple[str, ...] = ()
    show: str = ""


class ApiGroup(Behaviour, frozen=True, kw_only=True):
    """Functions of one kind of behaviour: an :class:`Api` for each prototype.

    Every condition and every argument of an effect must be a parameter of each
    of them.
    """

    prototypes: tuple[str, ...]


class ApiFile(_Strict, frozen=True, kw_only=True):
    """``rules/apis/<kernel header>.yaml``; ``source`` is the default provenance.
    ``some_kernels``: functions that only older or newer kernels have, so that a tree
    without them is no news (:mod:`ctxlint.rulebook.treecheck`)."""

    source: str
    some_kernels: tuple[str, ...] = ()
    apis: tuple[Api, ...] = ()
    groups: tuple[ApiGroup, ...] = ()


class ContextState(_Strict, frozen=True, kw_only=True):
    """Execution context in fields; counts are lower bounds at entry."""

    irqs: Literal["on", "off"] = "on"
    preempt: int = 0
    bh: int = 0
    rcu: int = 0
    migrate: int = 0
    softirq: bool = False
    hardirq: bool = False
    nmi: bool = False
    lock: str = ""


class Context(_Strict, frozen=True, kw_only=True):
    """A named execution context (``rules/contexts.yaml``).

    ``title``: "CPU hotplug STARTING callback"; ``text``: what holds there, in
    words for the report. ``any`` is the state in both profiles, unless ``rt``
    and ``nort`` say it apart. ``section``: hotplug section, if any. ``values``:
    global variables that are known there, each with the values that it can have
    (``system_state: [SYSTEM_RESTART]``: enumerators or constants).
    """

    title: str
    text: str
    any: ContextState | None = None
    rt: ContextState | None = None
    nort: ContextState | None = None
    section: str = ""
    values: dict[str, tuple[str, ...]] = {}
    source: str = ""


class Made(_Strict, frozen=True, kw_only=True):
    """An argument that is what a function returned (to whatever member or variable the
    argument is read from), when the arguments of *that* call fulfil ``when``."""

    arg: str
    prototype: str
    aliases: tuple[str, ...] = ()
    when: str = ""


class Called(_Strict, frozen=True, kw_only=True):
    """A call of a function whose arguments may fulfil ``when``."""

    prototype: str
    aliases: tuple[str, ...] = ()
    when: str = ""


class Choice(_Strict, frozen=True, kw_only=True):
    """Which context applies, under a condition on the registration's arguments
    (or, for a field, on sibling fields of the initialiser).

    ``certainty`` is ``may`` when the function runs in this context only with some
    users, configurations or devices: what is found there is a warning; ``possible`` when
    it says of itself that it does not know, or other users of such objects never call it
    there: shown with ``--possible``.
    ``file`` is a path prefix that the place of the registration must have. ``unless``: a member
    (``RECORD.FIELD``, ``RECORD.FIELD & FLAG``) of which a file of the same directory may
    store a non-zero value (or the flag): then this choice says nothing; nor does it when
    such a file may do the call ``unless_called``.
    ``is_one_of`` (parameter -> global variables that it must be the value of) and
    ``made`` must be seen to hold, else the choice does not count. With ``seen`` it says
    nothing where ``when`` cannot be decided because an argument comes from a member or
    from callers that are not known (an argument that something else wrote leaves it open).
    """

    context: str
    when: str = ""
    profile: Literal["any", "rt", "nort"] = "any"
    certainty: Literal["certain", "may", "possible"] = "certain"
    tree: str = ""
    file: str = ""
    unless: str = ""
    unless_called: Called | None = None
    is_one_of: dict[str, tuple[str, ...]] = {}
    made: Made | None = None
    seen: bool = False


class Callback(_Strict, frozen=True, kw_only=True):
    """A function parameter of a registration function. ``given``: the parameter that the
    callback gets back, and as which of its own (``dev as 1``)."""

    arg: str
    kind: str
    contexts: tuple[Choice, ...]
    given: str = ""


class Registration(_Strict, frozen=True, kw_only=True):
    """A function that takes callbacks. ``state`` is the parameter that names
    the hotplug state, shown with the enumerator's name. With ``names`` (the beginning
    of a name and ``*``) it speaks of every function so named that has no rule of its
    own; the prototype then shows their parameters, under a name of its choice."""

    prototype: str
    names: str = ""
    aliases: tuple[str, ...] = ()
    callbacks: tuple[Callback, ...]
    state: str = ""
    source: str = ""
    note: str = ""


class Paired(_Strict, frozen=True, kw_only=True):
    """Where the condition of a field callback finds its arguments: another call
    on the same object (hrtimer_init(TIMER, clock, mode) for hrtimer.function)."""

    prototype: str
    object: str


class FieldCallback(_Strict, frozen=True, kw_only=True):
    """A member that holds a callback: assigned or initialised anywhere."""

    field: str
    contexts: tuple[Choice, ...]
    kind: str = ""
    paired: Paired | None = None
    source: str = ""


class RecordCallbacks(_Strict, frozen=True, kw_only=True):
    """``rules/callbacks/*.yaml``: operations structures."""

    record: str
    fields: tuple[FieldCallback, ...]
    source: str = ""


class NamedEntry(_Strict, frozen=True, kw_only=True):
    """A function that the architecture or the core calls first. ``file`` is a
    path prefix that the definition must have ("arch/arm64/")."""

    function: str
    file: str
    kind: str
    contexts: tuple[Choice, ...]
    source: str = ""


class TableEntry(_Strict, frozen=True, kw_only=True):
    """A static table whose index is the state (cpuhp_hp_states); conditions speak
    of the index by the name in ``state``."""

    variable: str
    fields: tuple[str, ...]
    kind: str
    state: str
    contexts: tuple[Choice, ...]
    source: str = ""


class Trampoline(_Strict, frozen=True, kw_only=True):
    """Calls through symbols that the kernel patches (static_call()).

    A call of ``<symbol>NAME`` goes to the functions in member ``field`` of record
    ``record`` of the variable ``<variable>NAME``, and to those that calls of ``update``
    hand over as ``value`` for the variable that ``key`` points to.
    """

    symbol: str
    variable: str
    record: str
    field: str
    update: str
    aliases: tuple[str, ...] = ()
    key: str
    value: str
    source: str = ""


class EntryFile(_Strict, frozen=True, kw_only=True):
    """``rules/entry_points/*.yaml`` and ``rules/callbacks/*.yaml``; ``some_kernels`` as
    in an :class:`ApiFile`, members as ``RECORD.FIELD``."""

    source: str
    some_kernels: tuple[str, ...] = ()
    registrations: tuple[Registration, ...] = ()
    functions: tuple[NamedEntry, ...] = ()
    tables: tuple[TableEntry, ...] = ()
    records: tuple[RecordCallbacks, ...] = ()
    trampolines: tuple[Trampoline, ...] = ()


class LockKind(_Strict, frozen=True, kw_only=True):
    """What holding a lock of this kind changes (``rules/locks.yaml``). ``types`` are the
    C types of such locks (``struct raw_spinlock``). ``nort_is``: without PREEMPT_RT it is a
    lock of that kind in a structure of its own, and may be taken as one and released as the
    other. ``shared``: readers do not exclude each other, so its holder may take it again."""

    title: str
    types: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    rt: tuple[str, ...] = ()
    nort: tuple[str, ...] = ()
    nort_is: str = ""
    shared: bool = False
    source: str = ""


class Memory(_Strict, frozen=True, kw_only=True):
    """``rules/memory.yaml``: what a function does with memory, which the analysis of
    objects needs to know.

    ``result``: ``new`` is memory of its own, that nothing else points to; ``kept`` is a
    pointer that was given to be kept there; ``error`` is a number that leads nowhere.
    ``clears``: what it returns is filled with zeros. ``keeps_nothing``: it begins or ends
    the life of what it is given, and lets nobody else have it. ``copies``: it copies bytes;
    the numbers of the arguments, to and from. ``fills``: it writes one byte everywhere; the
    numbers of the arguments, where and which byte. ``switch``: it branches on a static key; the
    numbers of the arguments that are the key, and whether an enabled one gives false.
    """

    result: Literal["", "new", "kept", "error"] = ""
    clears: bool = False
    keeps_nothing: bool = False
    copies: tuple[int, int] | None = None
    fills: tuple[int, int] | None = None
    switch: tuple[int, int] | None = None
    source: str


class Mode(_Strict, frozen=True, kw_only=True):
    """``rules/modes.yaml``: a member (``record.member``) that says how an object works.

    It is set before the object is registered. ``functions`` may be called for objects
    that have ``value`` there (0, or 1 for any other number), and warn about others.
    ``atomic``: so is all that is done with an object where sleeping is forbidden, and what
    is done for objects with another value is not done there.
    """

    value: int
    functions: tuple[str, ...] = ()
    atomic: bool = False
    source: str


class Operation(_Strict, frozen=True, kw_only=True):
    """``rules/operations.yaml``: an operation class, in words."""

    title: str
    why_sleep: str = ""
    why_rt: str = ""
    fix: str = ""


class Constant(_Strict, frozen=True, kw_only=True):
    """``rules/constants.yaml``: a macro's value. ``enumerator`` is preferred
    when the tree has it (``1 << NAME`` when ``shift``), else ``value``. Without a ``value``
    it is known only where the tree has the enumerator; one of the two must be there."""

    value: int | None = None
    enumerator: str = ""
    shift: bool = False
    source: str
