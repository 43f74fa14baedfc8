"""Kernels to LLVM's intermediate language: the part of Python that `language` describes, and nothing else.

Pure. All variables are 64-bit integers on the stack, which LLVM then keeps in registers.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from llvmlite import ir  # type: ignore[import-untyped]

from mere.segment.native import language

Kernel: TypeAlias = Callable[..., Any]

_WORD, _BYTE, _BIT = ir.IntType(64), ir.IntType(8), ir.IntType(1)
_DOUBLE_WORD = ir.IntType(128)
_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.FloorDiv: "udiv",
    ast.Mod: "urem",
    ast.LShift: "shl",
    ast.RShift: "lshr",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
    ast.BitXor: "xor",
}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


def compile_kernels(kernels: Mapping[str, Kernel]) -> str:
    """A module in LLVM's language in which the kernels, of one result each, have these names."""
    module = _Module()
    for name, kernel in kernels.items():
        function = module.function(kernel)
        exported = ir.Function(module.ir, function.ftype, name)
        builder = ir.IRBuilder(exported.append_basic_block())
        builder.ret(builder.call(function, exported.args))
    return str(module.ir)


class _Module:
    """The functions and tables met so far."""

    def __init__(self) -> None:
        self.ir = ir.Module("kernels")
        self._functions: dict[Kernel, ir.Function] = {}
        self._tables: dict[int, ir.GlobalVariable] = {}

    def function(self, kernel: Kernel) -> ir.Function:
        found = self._functions.get(kernel)
        if found is None:
            tree = ast.parse(textwrap.dedent(inspect.getsource(kernel))).body[0]
            assert isinstance(tree, ast.FunctionDef)
            kind = ir.FunctionType(_returned(tree), [_WORD] * len(tree.args.args))
            found = ir.Function(self.ir, kind, f"{kernel.__module__}.{kernel.__name__}")
            found.linkage = "internal"
            found.attributes.add("nounwind")
            self._functions[kernel] = found
            _Body(self, found, tree, inspect.unwrap(kernel).__globals__).compile()
        return found

    def table(self, values: Sequence[int]) -> ir.GlobalVariable:
        found = self._tables.get(id(values))
        if found is None:
            kind = ir.ArrayType(_WORD, len(values))
            found = ir.GlobalVariable(self.ir, kind, f"table{len(self._tables)}")
            found.global_constant = True
            found.linkage = "internal"
            found.initializer = ir.Constant(kind, [_constant(value) for value in values])
            self._tables[id(values)] = found
        return found


class _Body:
    """One function, statement by statement."""

    def __init__(self, module: _Module, function: ir.Function, tree: ast.FunctionDef, known: dict[str, Any]) -> None:
        self._module = module
        self._function = function
        self._tree = tree
        self._known = known
        self._builder = ir.IRBuilder(function.append_basic_block())
        self._loops: list[tuple[ir.Block, ir.Block]] = []  # where continue and break go
        self._variables: dict[str, ir.AllocaInstr] = {}

    def compile(self) -> None:
        names = [argument.arg for argument in self._tree.args.args]
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.append(node.id)
        for name in dict.fromkeys(names):
            self._variables[name] = self._builder.alloca(_WORD, name=name)
        for name, value in zip(names, self._function.args, strict=False):
            self._builder.store(value, self._variables[name])
        self._block(self._tree.body)
        if not self._ended:
            if self._function.ftype.return_type == ir.VoidType():
                self._builder.ret_void()
            else:
                self._builder.unreachable()

    @property
    def _ended(self) -> bool:
        return bool(self._builder.block.is_terminated)

    # Statements

    def _block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if not self._ended:
                self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant()):
                pass  # a docstring
            case ast.Expr(value=ast.Call() as called):
                self._call(called)
            case ast.Assign(targets=[target]):
                self._assign(target, node.value)
            case ast.AugAssign(target=ast.Name(id=name)):
                changed = self._operation(node.op, self._load(name), self._value(node.value))
                self._builder.store(changed, self._variables[name])
            case ast.If():
                self._if(node)
            case ast.While():
                self._while(node)
            case ast.For(target=ast.Name(), iter=ast.Call(func=ast.Name(id="range"))):
                self._for(node)
            case ast.Return():
                self._return(node.value)
            case ast.Continue():
                self._builder.branch(self._loops[-1][0])
            case ast.Break():
                self._builder.branch(self._loops[-1][1])
            case _:
                raise self._unknown(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._builder.store(self._value(value), self._variables[target.id])
            return
        assert isinstance(target, ast.Tuple)
        if isinstance(value, ast.Tuple):
            values = [self._value(part) for part in value.elts]
        else:
            assert isinstance(value, ast.Call)
            result = self._call(value)
            values = [self._builder.extract_value(result, index) for index in range(len(target.elts))]
        for part, found in zip(target.elts, values, strict=True):
            assert isinstance(part, ast.Name)
            self._builder.store(found, self._variables[part.id])

    def _return(self, value: ast.expr | None) -> None:
        if value is None:
            self._builder.ret_void()
        elif isinstance(value, ast.Tuple):
            result = ir.Constant(self._function.ftype.return_type, ir.Undefined)
            for index, part in enumerate(value.elts):
                result = self._builder.insert_value(result, self._value(part), index)
            self._builder.ret(result)
        else:
            self._builder.ret(self._value(value))

    def _if(self, node: ast.If) -> None:
        then, other, end = (self._function.append_basic_block() for _ in range(3))
        self._builder.cbranch(self._condition(node.test), then, other)
        for block, statements in ((then, node.body), (other, node.orelse)):
            self._builder.position_at_end(block)
            self._block(statements)
            if not self._ended:
                self._builder.branch(end)
        self._builder.position_at_end(end)

    def _while(self, node: ast.While) -> None:
        test, body, end = (self._function.append_basic_block() for _ in range(3))
        self._builder.branch(test)
        self._builder.position_at_end(test)
        self._builder.cbranch(self._condition(node.test), body, end)
        self._loop(node.body, body, test, end)

    def _for(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name)
        assert isinstance(node.iter, ast.Call)
        *first, stop = (self._value(argument) for argument in node.iter.args)
        test, body, step, end = (self._function.append_basic_block() for _ in range(4))
        before = self._builder.block
        self._builder.branch(test)
        self._builder.position_at_end(test)
        counter = self._builder.phi(_WORD)
        counter.add_incoming(first[0] if first else _constant(0), before)
        self._builder.cbranch(self._builder.icmp_signed("<", counter, stop), body, end)
        self._builder.position_at_end(body)
        self._builder.store(counter, self._variables[node.target.id])
        self._loop(node.body, body, step, end)
        self._builder.position_at_end(step)
        counter.add_incoming(self._builder.add(counter, _constant(1)), step)
        self._builder.branch(test)
        self._builder.position_at_end(end)

    def _loop(self, statements: Sequence[ast.stmt], body: ir.Block, again: ir.Block, end: ir.Block) -> None:
        self._builder.position_at_end(body)
        self._loops.append((again, end))
        self._block(statements)
        self._loops.pop()
        if not self._ended:
            self._builder.branch(again)
        self._builder.position_at_end(end)

    # Expressions

    def _value(self, node: ast.expr) -> ir.Value:
        match node:
            case ast.Constant(value=int(number)):
                return _constant(number)
            case ast.Name(id=name) if name in self._variables:
                return self._load(name)
            case ast.Name() | ast.Attribute():
                return _constant(self._object(node))
            case ast.BinOp():
                return self._operation(node.op, self._value(node.left), self._value(node.right))
            case ast.UnaryOp(op=ast.USub()):
                return self._builder.neg(self._value(node.operand))
            case ast.UnaryOp(op=ast.Invert()):
                return self._builder.not_(self._value(node.operand))
            case ast.Subscript():
                return self._element(self._object(node.value), self._value(node.slice))
            case ast.Call():
                return self._call(node)
            case ast.IfExp():
                return self._choice(node)
        return self._builder.zext(self._condition(node), _WORD)

    def _condition(self, node: ast.expr) -> ir.Value:
        match node:
            case ast.Compare(left=left, ops=[ast.In()], comparators=[ast.Tuple(elts=choices)]):
                return self._among(self._value(left), choices)
            case ast.Compare():
                return self._comparison(node)
            case ast.BoolOp():
                return self._short_cut(node)
            case ast.UnaryOp(op=ast.Not()):
                return self._builder.not_(self._condition(node.operand))
        return self._builder.icmp_signed("!=", self._value(node), _constant(0))

    def _comparison(self, node: ast.Compare) -> ir.Value:
        values = [self._value(part) for part in (node.left, *node.comparators)]
        result = None
        for operator, left, right in zip(node.ops, values, values[1:], strict=False):
            found = self._builder.icmp_signed(_COMPARISONS[type(operator)], left, right)
            result = found if result is None else self._builder.and_(result, found)
        return result

    def _among(self, value: ir.Value, choices: Sequence[ast.expr]) -> ir.Value:
        result = ir.Constant(_BIT, 0)
        for choice in choices:
            result = self._builder.or_(result, self._builder.icmp_signed("==", value, self._value(choice)))
        return result

    def _short_cut(self, node: ast.BoolOp) -> ir.Value:
        """The right side is looked at only where the left does not decide."""
        decides = isinstance(node.op, ast.Or)
        end = self._function.append_basic_block()
        incoming = []
        for part in node.values[:-1]:
            found, following = self._condition(part), self._function.append_basic_block()
            incoming.append((ir.Constant(_BIT, decides), self._builder.block))
            self._builder.cbranch(found, end if decides else following, following if decides else end)
            self._builder.position_at_end(following)
        incoming.append((self._condition(node.values[-1]), self._builder.block))
        self._builder.branch(end)
        return self._joined(end, incoming, _BIT)

    def _choice(self, node: ast.IfExp) -> ir.Value:
        then, other, end = (self._function.append_basic_block() for _ in range(3))
        self._builder.cbranch(self._condition(node.test), then, other)
        incoming = []
        for block, part in ((then, node.body), (other, node.orelse)):
            self._builder.position_at_end(block)
            incoming.append((self._value(part), self._builder.block))
            self._builder.branch(end)
        return self._joined(end, incoming, _WORD)

    def _joined(self, end: ir.Block, incoming: Sequence[tuple[ir.Value, ir.Block]], kind: ir.Type) -> ir.Value:
        self._builder.position_at_end(end)
        joined = self._builder.phi(kind)
        for value, block in incoming:
            joined.add_incoming(value, block)
        return joined

    def _operation(self, operator: ast.operator, left: ir.Value, right: ir.Value) -> ir.Value:
        return getattr(self._builder, _OPERATORS[type(operator)])(left, right)

    def _element(self, table: Sequence[int], index: ir.Value) -> ir.Value:
        place = self._builder.gep(self._module.table(table), [_constant(0), index], inbounds=True)
        return self._builder.load(place)

    def _call(self, node: ast.Call) -> ir.Value:
        called = self._object(node.func)
        arguments = [self._value(argument) for argument in node.args]
        if called in _INTRINSICS:
            return _INTRINSICS[called](self._builder, arguments)
        return self._builder.call(self._module.function(called), arguments)

    def _load(self, name: str) -> ir.Value:
        return self._builder.load(self._variables[name])

    def _object(self, node: ast.expr) -> Any:
        """What a name outside of the function stands for."""
        if isinstance(node, ast.Attribute):
            return getattr(self._object(node.value), node.attr)
        if isinstance(node, ast.Name) and node.id in self._known:
            return self._known[node.id]
        raise self._unknown(node)

    def _unknown(self, node: ast.AST) -> SyntaxError:
        return SyntaxError(f"a kernel cannot say this: {ast.unparse(node)} (in {self._tree.name})")


def _returned(tree: ast.FunctionDef) -> ir.Type:
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            if isinstance(node.value, ast.Tuple):
                return ir.LiteralStructType([_WORD] * len(node.value.elts))
            return _WORD
    return ir.VoidType()


def _constant(value: int) -> ir.Constant:
    return ir.Constant(_WORD, (value + 2**63) % 2**64 - 2**63)


_Intrinsic = Callable[[ir.IRBuilder, Sequence[ir.Value]], ir.Value]


def _pointer(builder: ir.IRBuilder, address: ir.Value, kind: ir.Type) -> ir.Value:
    return builder.inttoptr(address, kind.as_pointer())


def _load(bits: int, *, signed: bool = False) -> _Intrinsic:
    kind = ir.IntType(bits)

    def load(builder: ir.IRBuilder, arguments: Sequence[ir.Value]) -> ir.Value:
        value = builder.load(_pointer(builder, arguments[0], kind), align=1)
        return value if bits == 64 else (builder.sext if signed else builder.zext)(value, _WORD)

    return load


def _store(bits: int, *, swapped: bool = False) -> _Intrinsic:
    kind = ir.IntType(bits)

    def store(builder: ir.IRBuilder, arguments: Sequence[ir.Value]) -> ir.Value:
        value = arguments[1] if bits == 64 else builder.trunc(arguments[1], kind)
        value = builder.bswap(value) if swapped else value
        return builder.store(value, _pointer(builder, arguments[0], kind), align=1)

    return store


def _copy(builder: ir.IRBuilder, arguments: Sequence[ir.Value]) -> ir.Value:
    to, source, size = arguments
    pointer = _BYTE.as_pointer()
    memcpy = builder.module.declare_intrinsic("llvm.memcpy", [pointer, pointer, _WORD])
    places = [_pointer(builder, to, _BYTE), _pointer(builder, source, _BYTE)]
    return builder.call(memcpy, [*places, size, ir.Constant(_BIT, 0)])


def _below(builder: ir.IRBuilder, arguments: Sequence[ir.Value]) -> ir.Value:
    return builder.zext(builder.icmp_unsigned("<", *arguments), _WORD)


def _high_product(builder: ir.IRBuilder, arguments: Sequence[ir.Value]) -> ir.Value:
    left, right = (builder.zext(argument, _DOUBLE_WORD) for argument in arguments)
    product = builder.lshr(builder.mul(left, right), ir.Constant(_DOUBLE_WORD, 64))
    return builder.trunc(product, _WORD)


def _bits_in(builder: ir.IRBuilder, arguments: Sequence[ir.Value]) -> ir.Value:
    leading = builder.ctlz(builder.or_(arguments[0], _constant(1)), ir.Constant(_BIT, 1))
    return builder.sub(_constant(64), leading)


def _zeros_below(builder: ir.IRBuilder, arguments: Sequence[ir.Value]) -> ir.Value:
    return builder.cttz(arguments[0], ir.Constant(_BIT, 1))


_INTRINSICS: dict[Kernel, _Intrinsic] = {
    language.load8: _load(8),
    language.load16: _load(16),
    language.load32: _load(32),
    language.load64: _load(64),
    language.load8s: _load(8, signed=True),
    language.load16s: _load(16, signed=True),
    language.load32s: _load(32, signed=True),
    language.store8: _store(8),
    language.store16: _store(16),
    language.store32: _store(32),
    language.store64: _store(64),
    language.store16be: _store(16, swapped=True),
    language.store32be: _store(32, swapped=True),
    language.store64be: _store(64, swapped=True),
    language.copy: _copy,
    language.below: _below,
    language.high_product: _high_product,
    language.bits_in: _bits_in,
    language.zeros_below: _zeros_below,
}
