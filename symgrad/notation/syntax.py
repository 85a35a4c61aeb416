"""The surface tree: what was written, before anyone asks what it means.

Contract: the parser makes `Tree`s from tokens, `elaborate` turns them into expressions, `simplify` turns
expressions back into them, and `render` prints them.  A tree has a head, its subtrees, a payload and the span of
source it came from.  These are all the heads:

==============  ==============================================  =====================================================
head            args                                            value
==============  ==============================================  =====================================================
``num``                                                         exact `Fraction` (or int)
``name``                                                        canonical name (see `names.canonical`)
``const``                                                       ``"pi"`` or ``"e"`` or ``"inf"``
``index``       base, subscript, ...                            subscripts are trees; ``slice`` is ``:``
``slice``                                                       None
``part``        lower, upper, step                              whether it counts as code does; what is missing is a
                                                                ``slice``; ``"short"`` for `j:` alone, perhaps a row
``newaxis``                                                     None; ``None`` between brackets
``neg``         term
``add``         term, ...                                       tuple of signs (+1 / -1), one a term
``mul``         factor, ...                                     ``""`` juxtaposition and ``*``; ``"."`` a dot (inner
                                                                product of vectors); ``"@"``; ``"odot"`` elementwise;
                                                                ``"star"`` elementwise ``*`` of NumPy text
``div``         numerator, denominator                          ``""`` or ``"odot"`` (elementwise ``./``, ``⊘``)
``pow``         base, exponent                                  ``""`` or ``"odot"`` (``.^``; ``**`` of NumPy text)
``transpose``   base
``call``        argument, ...                                   name of the function (operation, or defined by user);
                                                                ``"entrywise exp"`` of a matrix is only printed;
                                                                keyword arguments are ``keyword`` trees
``keyword``     value                                           name, e.g. ``"axis"``
``norm``        argument, order?                                ``""``, ``"1"``, ``"2"``, ``"F"``, ``"inf"``, ``"*"``,
                                                                ``"max"``, ``"op"``; ``"p"`` where the order is given
``bars``        argument                                        ``|x|``: absolute value, or determinant of a matrix
``inner``       left, right                                     angle brackets
``big``         body, binder, ...                               ``"sum"``, ``"prod"``, ``"max"``, ``"min"``,
                                                                ``"logsumexp"``
``binder``      lower?, upper? or set conditions                (index names, kind): kind is ``"all"`` (every value of
                                                                the axis), ``"range"`` (args lower, upper) or
                                                                ``"where"`` (args are ``compare`` trees)
``compare``     left, right                                     ``"=" "!=" "<" "<=" ">" ">="``
``and``         condition, ...
``indicator``   condition
``cases``       value, condition, value, condition, ...         the last condition may be an ``otherwise``
``restricted``  value, condition                                a formula for some indices, until another joins it
``otherwise``
``array``       entry, ...                                      (rows, columns); a plain vector has columns None
``assemble``    body, bound, ...                                tuple of index names: ``[body]_{ij}`` is the tensor
                                                                whose entry i, j is body; the bounds, if any, say how
                                                                far each index runs from 1
``derivative``  function, variable                              order; only a left side, or a claim's intermediate; by
                                                                a ``pow`` where a square is the variable, as sigma^2
``nabla``       function, variable                              order; ``∇_W f``, only printed
``change``      variable                                        None; ``dq``, only printed: as a word it is a name
``equation``    left, right                                     None; ``"next"`` where the left side gets a new value
``declare``     name                                            its dimensions, ``("m", "n")`` of ``W ∈ R^{m×n}``
``block``       equation or formula, ...                        several formulas; the last one is the function
==============  ==============================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")
#: Before the name of a function that must not be printed as one of whole matrices: e^X is read as that.
ENTRYWISE = "entrywise "


class Tree:
    """One node of the surface tree; equality is structural and ignores spans."""

    __slots__ = ("args", "end", "head", "start", "value")

    def __init__(
        self, head: str, args: tuple[Tree, ...] = (), value: object = None, start: int = 0, end: int = 0
    ) -> None:
        self.head = head
        self.args = args
        self.value = value
        self.start = start
        self.end = end

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tree):
            return NotImplemented
        stack = [(self, other)]
        while stack:
            a, b = stack.pop()
            if a is b:
                continue
            if a.head != b.head or a.value != b.value or len(a.args) != len(b.args):
                return False
            stack.extend(zip(a.args, b.args, strict=True))
        return True

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        value = "" if self.value is None else f" {self.value!r}"
        return f"({self.head}{value}{''.join(f' {a!r}' for a in self.args)})"

    def walk(self) -> Iterator[Tree]:
        """Every subtree, parents first, without recursion."""
        stack = [self]
        while stack:
            tree = stack.pop()
            yield tree
            if tree.args:
                stack.extend(reversed(tree.args))


def fold(tree: Tree, combine: Callable[[Tree, list[T]], T]) -> T:
    """Bottom-up value of a tree: `combine(subtree, values of its args)`, without recursion."""
    done: list[T] = []
    stack: list[tuple[Tree, bool]] = [(tree, False)]
    while stack:
        node, ready = stack.pop()
        if ready or not node.args:
            cut = len(done) - len(node.args)
            values = done[cut:]
            del done[cut:]
            done.append(combine(node, values))
        else:
            stack.append((node, True))
            stack.extend((a, False) for a in reversed(node.args))
    return done[0]
