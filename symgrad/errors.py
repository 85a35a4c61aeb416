"""Every error symgrad raises on purpose, sorted by who must act on it.

Contract: a user never sees a traceback.  The writer of a formula gets an `InputError` that knows its place
(`offset`, and 1-based `line` and `column`) and draws it; the writer of a claim gets a verdict, not an error;
whoever asks for more than the rules cover gets `UnsupportedError`.  `code` is stable and meant for scripts.
"""

from __future__ import annotations


class SymgradError(Exception):
    """Base of everything symgrad raises on purpose."""

    code = "ERROR"
    kind = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def to_dict(self) -> dict[str, object]:
        return {"kind": self.kind, "code": self.code, "message": printable(self.message), "hint": printable(self.hint)}


class InputError(SymgradError):
    """A formula, shape declaration or assumption that cannot be read as it stands."""

    code = "PARSE"
    kind = "parse"

    def __init__(
        self, message: str, *, source: str = "", offset: int = 0, end: int | None = None, hint: str = "", code: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.source = source
        self.offset = offset
        self.end = end if end is not None and end > offset else offset + 1
        if code:
            self.code = code

    @property
    def line(self) -> int:
        return self.source.count("\n", 0, self.offset) + 1

    @property
    def column(self) -> int:
        return self.offset - (self.source.rfind("\n", 0, self.offset) + 1) + 1

    def located(self, source: str) -> InputError:
        """The same error, knowing the whole text its offset counts in."""
        self.source = self.source or source
        return self

    def excerpt(self, width: int = 100) -> str:
        """The offending line with a caret under the place, cut to `width` characters around it."""
        begin = self.source.rfind("\n", 0, self.offset) + 1
        stop = self.source.find("\n", self.offset)
        line = self.source[begin : stop if stop >= 0 else len(self.source)]
        start = max(0, min(self.offset - begin - width // 2, len(line) - width))
        shown = printable(line[start : start + width])
        caret = self.offset - begin - start
        length = max(1, min(self.end - self.offset, len(shown) - caret))
        return f"{shown}\n{' ' * caret}{'^' * length}"

    def __str__(self) -> str:
        place = f" (line {self.line}, column {self.column})" if self.source else ""
        hint = f"\nhint: {printable(self.hint)}" if self.hint else ""
        drawing = f"\n{self.excerpt()}" if self.source else ""
        return f"{printable(self.message)}{place}{drawing}{hint}"

    def to_dict(self) -> dict[str, object]:
        return super().to_dict() | {"line": self.line, "column": self.column, "offset": self.offset}


class LimitError(InputError):
    """Input past a bound on length, depth, number size or count: refused before it costs anything."""

    code = "LIMIT"
    kind = "limit"


class NameProblem(InputError):
    """A name that means nothing here, or that may not be used."""

    code = "NAME"
    kind = "name"


class ShapeError(InputError):
    """Shapes that do not fit: nothing broadcasts silently."""

    code = "SHAPE"
    kind = "shape"


class DomainError(InputError):
    """A value that does not exist, such as 1/0, log 0 or a zeroth root."""

    code = "DOMAIN"
    kind = "domain"


class UsageError(SymgradError):
    """A call or option that makes no sense, whatever the formula."""

    code = "USAGE"
    kind = "usage"


class UnsupportedError(SymgradError):
    """Readable mathematics for which symgrad has no rule yet."""

    code = "UNSUPPORTED"
    kind = "unsupported"


class ClaimError(SymgradError):
    """A claimed program that has no value: its `finding` says why it is wrong, none that it could not be judged."""

    code = "CLAIM"
    kind = "claim"

    def __init__(self, message: str, *, hint: str = "", finding: str = "") -> None:
        super().__init__(message, hint=hint)
        self.finding = finding


def printable(text: str) -> str:
    """`text` with control, bidirectional and unencodable characters shown as escapes, one column each as `�`."""
    return "".join(c if c.isprintable() else "�" for c in text)
