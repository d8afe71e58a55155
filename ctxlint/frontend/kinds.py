# SPDX-License-Identifier: GPL-2.0-or-later
"""libclang's enumerations, as far as lowering asks for them.

Plain numbers, because a cursor's kind is looked at some hundred thousand times in a unit;
names and classes are those of ``clang.cindex`` (where it has none, those of clang's C
interface). ``tests/frontend/test_kinds.py`` compares them with the binding.
"""

from __future__ import annotations


class CursorKind:
    """CXCursorKind."""

    UNION_DECL = 3
    ENUM_CONSTANT_DECL = 7
    FUNCTION_DECL = 8
    VAR_DECL = 9
    MEMBER_REF = 47
    LABEL_REF = 48
    UNEXPOSED_EXPR = 100
    DECL_REF_EXPR = 101
    MEMBER_REF_EXPR = 102
    CALL_EXPR = 103
    INTEGER_LITERAL = 106
    FLOATING_LITERAL = 107
    STRING_LITERAL = 109
    CHARACTER_LITERAL = 110
    PAREN_EXPR = 111
    UNARY_OPERATOR = 112
    ARRAY_SUBSCRIPT_EXPR = 113
    BINARY_OPERATOR = 114
    COMPOUND_ASSIGNMENT_OPERATOR = 115
    CONDITIONAL_OPERATOR = 116
    CSTYLE_CAST_EXPR = 117
    COMPOUND_LITERAL_EXPR = 118
    INIT_LIST_EXPR = 119
    ADDR_LABEL_EXPR = 120
    STMT_EXPR = 121
    GENERIC_SELECTION_EXPR = 122
    CXX_UNARY_EXPR = 136  # sizeof and _Alignof
    UNEXPOSED_STMT = 200  # a statement with attributes
    LABEL_STMT = 201
    COMPOUND_STMT = 202
    CASE_STMT = 203
    DEFAULT_STMT = 204
    IF_STMT = 205
    SWITCH_STMT = 206
    WHILE_STMT = 207
    DO_STMT = 208
    FOR_STMT = 209
    GOTO_STMT = 210
    INDIRECT_GOTO_STMT = 211
    CONTINUE_STMT = 212
    BREAK_STMT = 213
    RETURN_STMT = 214
    ASM_STMT = 215
    NULL_STMT = 230
    DECL_STMT = 231
    UNEXPOSED_ATTR = 400


class TypeKind:
    """CXTypeKind."""

    VOID = 2
    BOOL = 3
    CHAR_U = 4
    UCHAR = 5
    CHAR16 = 6
    CHAR32 = 7
    USHORT = 8
    UINT = 9
    ULONG = 10
    ULONGLONG = 11
    UINT128 = 12
    CHAR_S = 13
    SCHAR = 14
    WCHAR = 15
    SHORT = 16
    INT = 17
    LONG = 18
    LONGLONG = 19
    INT128 = 20
    FLOAT = 21
    DOUBLE = 22
    LONGDOUBLE = 23
    FLOAT128 = 30
    HALF = 31
    FLOAT16 = 32
    BFLOAT16 = 39
    POINTER = 101
    RECORD = 105
    ENUM = 106
    TYPEDEF = 107
    FUNCTIONNOPROTO = 110
    FUNCTIONPROTO = 111
    CONSTANTARRAY = 112
    VECTOR = 113
    INCOMPLETEARRAY = 114
    VARIABLEARRAY = 115
    ELABORATED = 119
    ATOMIC = 177


class LinkageKind:
    """CXLinkageKind."""

    INTERNAL = 2
    EXTERNAL = 4


class StorageClass:
    """CX_StorageClass."""

    EXTERN = 2
    STATIC = 3


class UnaryOperator:
    """CXUnaryOperatorKind."""

    POST_INC = 1
    POST_DEC = 2
    PRE_INC = 3
    PRE_DEC = 4
    ADDR_OF = 5
    DEREF = 6
    PLUS = 7
    MINUS = 8
    NOT = 9
    LNOT = 10
    EXTENSION = 13


class BinaryOperator:
    """CXBinaryOperatorKind."""

    MUL = 3
    DIV = 4
    REM = 5
    ADD = 6
    SUB = 7
    SHL = 8
    SHR = 9
    LT = 11
    GT = 12
    LE = 13
    GE = 14
    EQ = 15
    NE = 16
    AND = 17
    XOR = 18
    OR = 19
    LAND = 20
    LOR = 21
    ASSIGN = 22
    MUL_ASSIGN = 23
    DIV_ASSIGN = 24
    REM_ASSIGN = 25
    ADD_ASSIGN = 26
    SUB_ASSIGN = 27
    SHL_ASSIGN = 28
    SHR_ASSIGN = 29
    AND_ASSIGN = 30
    XOR_ASSIGN = 31
    OR_ASSIGN = 32
    COMMA = 33


class ChildVisit:
    """CXChildVisitResult: what a visitor of children answers."""

    BREAK = 0
    CONTINUE = 1
    RECURSE = 2


class EvalResultKind:
    """CXEvalResultKind."""

    INT = 1
    FLOAT = 2


class ErrorCode:
    """CXErrorCode."""

    FAILURE = 1
    CRASHED = 2
    INVALID_ARGUMENTS = 3


class Severity:
    """CXDiagnosticSeverity."""

    ERROR = 3


class PrintingPolicy:
    """CXPrintingPolicyProperty."""

    SUPPRESS_INITIALIZERS = 6
    TERSE_OUTPUT = 17


def is_expression(kind: int) -> bool:
    """Whether a cursor of this kind is an expression."""
    return 100 <= kind < 200


def is_attribute(kind: int) -> bool:
    """Whether a cursor of this kind, or of one beyond, is an attribute."""
    return kind >= CursorKind.UNEXPOSED_ATTR
