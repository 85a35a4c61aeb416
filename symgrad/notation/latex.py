r"""The LaTeX lexer: the notation of papers, without a macro language.

Contract: `lex(source, vocabulary)` gives the tokens of `symgrad.notation.tokens`; it never raises.  A letter is one
name, except in words that the source defines (`SSE = ...`), in `\mathrm{word}`, and in function names before a
bracket (`max(0, x)`).  Spacing, `\left`/`\right`, display environments and dollar signs around the whole are dropped;
a command that is not mathematics symgrad reads is refused by name (COMMAND).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from symgrad.notation import names, text
from symgrad.notation.tokens import (
    ENTRY,
    ERROR,
    FUNC,
    INVISIBLE,
    NAME,
    NEWLINE,
    NEXT,
    ONE,
    OPERAND_END,
    WORD,
    Lexed,
    Vocabulary,
    bad_character,
    reads_as_number,
)  # fmt: skip

_DELIMITERS = (
    r"\(|\)|\[|\]|\\\{|\\\}|\||\\\||\\[lr]?[vV]ert(?![A-Za-z])|\\[lr]angle(?![A-Za-z])|\\[lr]floor(?![A-Za-z])|<|>|\.|/"
)
MASTER = re.compile(
    rf"""(?P<space>[ \t\u00a0~]+|\\[,;:!>\ ])
    |(?P<letters>[A-Za-z]+)
    |(?P<operator>\\\\(?:\[[0-9.]*[a-z]*\])?|\.\.\.|<=|>=|!=|==|:=|\|\||\*\*|[-+*/^_'()\[\]{{}}|,;=<>@!:&])
    |(?P<number>(?:[0-9]+(?:\.(?![*/^T'])[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |\\(?P<sized>left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])[ ]*(?P<delimiter>{_DELIMITERS})
    |(?P<environment>\\(?:begin|end)[ ]*\{{[A-Za-z]+\*?\}})
    |(?P<command>\\[A-Za-z]+\*?)
    |(?P<escape>\\[{{}}|_'%&\#$])
    |(?P<newline>\r\n?|\n)
    |(?P<comment>%[^\r\n]*)
    |(?P<symbol>[^\x00-\x7f])""",
    re.VERBOSE,
)
OPERATORS = {
    "...": "dots", "||": "||", "<=": "rel", ">=": "rel", "!=": "rel", "==": "rel", "**": "**",
    ":=": "=",
}  # fmt: skip
RELATIONS = {"<=": "<=", ">=": ">=", "!=": "!=", "==": "=", ":=": NEXT}
#: Delimiters by (what stands after \left, \right or nothing) as (opening kind, closing kind, bare kind).
DELIMITERS = {
    "(": ("(", "(", "("), ")": (")", ")", ")"), "[": ("[", "[", "["), "]": ("]", "]", "]"),
    "\\{": ("\\{", "\\{", "\\{"), "\\}": ("\\}", "\\}", "\\}"), "|": ("|(", ")|", "|"), "\\|": ("||(", ")||", "||"),
    "\\vert": ("|(", ")|", "|"), "\\Vert": ("||(", ")||", "||"),
    "\\lvert": ("|(", "|(", "|("), "\\rvert": (")|", ")|", ")|"),
    "\\lVert": ("||(", "||(", "||("), "\\rVert": (")||", ")||", ")||"), "\\langle": ("<(", "<(", "<("),
    "\\rangle": (")>", ")>", ")>"), "<": ("<(", "<(", "<"), ">": (")>", ")>", ">"), "\\lfloor": ("floor(",) * 3,
    "\\rfloor": (")floor",) * 3,
}  # fmt: skip
COMMANDS: dict[str, tuple[str, object]] = {
    "cdot": (".", None), "bullet": (".", None), "times": ("x", None), "ast": ("*", None), "odot": ("odot", None),
    "circ": ("odot", None), "oslash": ("./", None), "otimes": ("kron", None), "div": ("/", None), "top": ("TOP", None),
    "intercal": ("TOP", None), "intercals": ("TOP", None), "prime": ("'", None), "star": ("*", None),
    "leq": ("rel", "<="), "le": ("rel", "<="), "geq": ("rel", ">="), "ge": ("rel", ">="), "neq": ("rel", "!="),
    "ne": ("rel", "!="), "leqslant": ("rel", "<="), "geqslant": ("rel", ">="), "lt": ("<", None), "gt": (">", None),
    "in": ("IN", None), "land": ("and", None), "wedge": ("and", None), "sum": ("BIG", "sum"), "prod": ("BIG", "prod"),
    "frac": ("FRAC", None), "tfrac": ("FRAC", None), "dfrac": ("FRAC", None), "cfrac": ("FRAC", None),
    "sqrt": ("SQRT", None),
    "partial": ("partial", None), "nabla": ("nabla", None), "infty": ("const", "inf"), "cdots": ("dots", None),
    "ldots": ("dots", None), "vdots": ("dots", None), "dots": ("dots", None), "dotsc": ("dots", None),
    "dotsb": ("dots", None),
    "int": ("INT", None),
    "colon": (":", None), "lbrace": ("\\{", None), "rbrace": ("\\}", None), "lbrack": ("[", None),
    "rbrack": ("]", None),
    "mid": ("|", None), "dagger": ("dagger", None), "underbrace": ("BRACE", "_"), "overbrace": ("BRACE", "^"),
    "leftarrow": ("=", NEXT), "gets": ("=", NEXT), "coloneqq": ("=", NEXT), "coloneq": ("=", NEXT),
    "triangleq": ("=", None), "equiv": ("=", None),
}  # fmt: skip
DROPPED = frozenset((
    "displaystyle", "textstyle", "limits", "nolimits", "nonumber", "notag", "thinspace",
    "medspace", "thickspace", "enspace", "space", "negthinspace", "mathstrut", "relax", "left", "right", "big",
    "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr",
))  # fmt: skip
#: What numbers and names an equation, with its braces.
MARKS = frozenset(("tag", "label"))
EXPECTATION = "write an expectation as what it is, an average \\frac{1}{N} \\sum_{i=1}^N or a sum \\sum_k p_k f_k"
#: Read as notation, and refused with a reason instead of as an unknown command.
REFUSED = {
    "to": "an arrow is not part of an expression", "rightarrow": "an arrow is not part of an expression",
    "approx": "an approximation cannot be checked", "sim": "distributions are not read",
    "pm": "write + and - separately",
    "mp": "write + and - separately", "propto": "proportional is not equal",
    "lim": "limits are not read", "mathbb": "blackboard letters are read as \\mathbb{R} and \\mathbb{1} only",
}  # fmt: skip
DISPLAY = frozenset((
    "align", "aligned", "alignat", "alignedat", "equation", "gather", "gathered", "split", "eqnarray", "multline",
    "flalign",
))  # fmt: skip
ARRAYS = frozenset(["matrix", "pmatrix", "bmatrix", "vmatrix", "Vmatrix", "Bmatrix", "smallmatrix"])
CASES = frozenset(["cases", "dcases"])
SENTENCE = {
    "if": "if", "for": "if", "when": "if", "otherwise": "otherwise", "else": "otherwise", "and": "and",
    "where": "where",
    "with": "where", "where ": "where", "or": "or",
}  # fmt: skip
_WRAPS = (("$$", "$$"), ("$", "$"), ("\\[", "\\]"), ("\\(", "\\)"))
_ASCII = re.compile(r"\s*(?:\{|(\\[A-Za-z]+\*?)|([A-Za-z0-9])|(\\?[^\x00-\x7f]))")
#: An expectation over an index, which is the average.
_OVER_INDEX = re.compile(r"\s*_\s*(?:[ijklmnt]|\{\s*[ijklmnt]\s*\})\s*(?:\\left|\\[bB]igg?l?)?\s*(?:\[|\(|\\\{)")
#: The E of an expectation below an accent.
_HATTED = re.compile(r"\s*\{\s*\\mathbb\s*(?:\{\s*E\s*\}|\s+E)\s*\}")
_OPENING = re.compile(r"\s*\{")
_MAXIMUM = re.compile(r"\s*(?:\\[,;! ])*\s*\\max(?![A-Za-z])")
#: `\stackrel{\mathrm{def}}{=}`, behind the command.
_MARKED_EQUALS = re.compile(r"\s*\{(?:[^{}]|\{[^{}]*\})*\}\s*\{\s*=\s*\}")
#: Commands that are read together with what follows: the pattern of that, and the token.
_LONGER: dict[str, tuple[re.Pattern[str], str, object]] = {
    "arg": (_MAXIMUM, FUNC, "argmax"), "stackrel": (_MARKED_EQUALS, "=", None), "overset": (_MARKED_EQUALS, "=", None),
}  # fmt: skip
#: `\operatorname{\mathbf{tr}}`.
_SET_WORD = re.compile(r"\s*\{\s*\\math(?:bf|rm|sf|it)\s*\{([A-Za-z]+)\}\s*\}")
_OLD_FONTS = {"rm": "mathrm", "bf": "mathbf", "it": "mathit", "sf": "mathsf", "tt": "mathtt", "cal": "mathcal"}
_OLD_FONT = re.compile(r"\{\s*\\(rm|bf|it|sf|tt|cal)\s+([A-Za-z]+)\s*\}")
#: An array between brackets, the column specification included, and its end.
_ARRAY = re.compile(r"\\left[ ]*(\\\{|\(|\[)\s*\\begin[ ]*\{array\}\s*\{[lcr| ]*\}")
_ARRAY_END = re.compile(r"\\end[ ]*\{array\}\s*\\right[ ]*(\.|\)|\])")
#: What arrays between brackets are.
_ARRAYS_IN = {"\\{": ("cases", "."), "(": ("pmatrix", ")"), "[": ("bmatrix", "]")}
_DEFINED = re.compile(
    r"(?:^|[,;=\n&]|\\\\|\\ |\\quad|\\begin\{[a-z]+\*?\})\s*([A-Za-z]{2,})\s*"
    r"(?:_(?:[A-Za-z0-9]|\{[A-Za-z0-9]*\})\s*)?(?:\([^()=]*\)\s*)?=(?!=)"
)
_FOLLOWED = re.compile(r"[ \t~]*(?:\\[,;:! ])*[ \t]*(?:\\(?:left|[bB]igg?l?)[ ]*)?(?:\(|\[|\\\{)")
#: What only indices hold: a slice, range(N), None.
_SLICES = re.compile(r"[^\[\]]*(?::|\\operatorname\{range\}|\\mathrm\{None\})[^\[\]]*\]")
_ENTRIES = re.compile(r"[A-Za-z0-9,: ]*\]")
#: What a full stop behind a formula stands before.
_SENTENCE_END = re.compile(r"\s*(?:$|\$|\\end(?![A-Za-z])|\\\]|\\\))")
_CLOSING = re.compile(r"\s*(?:\\right)?\)")
_TEXT_BODY = re.compile(r"\s*\{((?:[^{}\\$]|\\_|\\[ ,;!])*)\}")
#: Spaces inside of words: `arg\,max`.
_THIN = re.compile(r"\\[,;!]")


def lex(source: str, vocabulary: Vocabulary, tokens_end: int | None = None) -> Lexed:
    """All tokens up to the first thing that cannot be read."""
    lexed = Lexed(source)
    stop = len(source) if tokens_end is None else tokens_end
    place, stop = _unwrapped(source, stop)
    words = frozenset(_DEFINED.findall(source[:stop])) | vocabulary.names if "=" in source else vocabulary.names
    state = _Lexer(lexed, vocabulary, words)
    match_at = MASTER.match
    while place < stop:
        match = match_at(source, place, stop)
        if match is None:
            if source[place] == "." and _SENTENCE_END.match(source, place + 1, stop):
                place += 1
                continue
            _lonely(lexed, source, place)
            break
        kind = match.lastgroup or ""
        if kind == "space":
            place = match.end()
            continue
        place = state.readers[kind](match)
        if lexed.tokens and lexed.tokens[-1][0] == ERROR:
            break
    return lexed


def _unwrapped(source: str, stop: int) -> tuple[int, int]:
    """The span inside the dollar signs or brackets around the whole."""
    text_stop = len(source[:stop].rstrip())
    start = len(source[:text_stop]) - len(source[:text_stop].lstrip())
    for opening, closing in _WRAPS:
        inner = text_stop - start - len(opening) - len(closing)
        if inner > 0 and source.startswith(opening, start) and source.endswith(closing, 0, text_stop):
            return start + len(opening), text_stop - len(closing)
    return 0, stop


def _lonely(lexed: Lexed, source: str, place: int) -> None:
    if source[place] == "\\":
        lexed.fail("a backslash begins a command: a letter should follow", place, place + 1)
    elif source[place] == "$":
        lexed.fail("a dollar sign may only stand around the whole formula", place, place + 1)
    else:
        bad_character(lexed, source[place], place)


def _hidden(source: str) -> set[int]:
    r"""Where `\left.` and its `\right.` stand: a pair of brackets that nobody sees."""
    found: set[int] = set()
    opened: list[tuple[int, str]] = []
    for match in re.finditer(r"\\(left|right)[ ]*(\\?.)", source):
        if match.group(1) == "left":
            opened.append((match.start(), match.group(2)))
        elif opened:
            start, left = opened.pop()
            if left == match.group(2) == ".":
                found |= {start, match.start()}
    return found


class _Lexer:
    """The readers of one source; each takes a match and returns where to go on."""

    def __init__(self, lexed: Lexed, vocabulary: Vocabulary, words: frozenset[str]) -> None:
        self.lexed = lexed
        self.source = lexed.source
        self.vocabulary = vocabulary
        self.words = words
        self.environments: list[str] = []
        self.arrays: list[str] = []
        self.hidden = _hidden(self.source) if "\\left." in self.source else set()
        self.readers: dict[str, Callable[[re.Match[str]], int]] = {
            "letters": self.letters, "operator": self.operator, "number": self.number, "delimiter": self.delimiter,
            "environment": self.environment, "command": self.command, "escape": self.escape, "newline": self.newline,
            "comment": re.Match.end, "symbol": self.symbol,
        }  # fmt: skip

    def put(self, kind: str, value: object, start: int, end: int) -> int:
        self.lexed.tokens.append((kind, value, start, end))
        return end

    def refuse(self, message: str, start: int, end: int, code: str = "PARSE", hint: str = "") -> int:
        self.lexed.fail(message, start, end, code, hint)
        return end

    def letters(self, match: re.Match[str]) -> int:
        """A run of letters: a defined word, a function before a bracket, or one name a letter."""
        run, start, end = match.group(), match.start(), match.end()
        if len(run) > 1:
            function = self._function_tail(run, end)
            if function == run and run not in self.vocabulary.names:
                return self.put(FUNC, self.vocabulary.functions[run], start, end)
            if run in self.words or (run in names.LATEX_GREEK and len(run) > 3):
                return self.put(NAME, names.canonical(run), start, end)
            if run in text.BIG_WORDS and self.source[end : end + 1] == "_":
                return self.put(FUNC, run, start, end)
            if function:
                return self.refuse(
                    f"{run} ends like the function {function}", start, end, "AMBIGUOUS",
                    f"write \\{function}, or put a space before it",
                )  # fmt: skip
        append = self.lexed.tokens.append
        for place, letter in enumerate(run, start):
            append((NAME, letter, place, place + 1))
        return end

    def _function_tail(self, run: str, end: int) -> str:
        if not _FOLLOWED.match(self.source, end):
            return ""
        if run in self.vocabulary.functions:
            return run
        return next((run[k:] for k in range(1, len(run) - 2) if run[k:] in self.vocabulary.functions), "")

    def operator(self, match: re.Match[str]) -> int:
        symbol, start, end = match.group(), match.start(), match.end()
        old = _OLD_FONT.match(self.source, start) if symbol == "{" else None
        if old is not None:
            return self._old_font(old)
        if start in self.hidden:
            return end
        if symbol == "&" and self.environments and self.environments[-1] in DISPLAY:
            return end
        if symbol.startswith("\\\\"):
            return self.put("\\\\", None, start, end)
        if symbol == "[" and text.indexes(self.lexed, start) and self._entries(end):
            return self.put(ENTRY, None, start, end)
        return self.put(OPERATORS.get(symbol, symbol), RELATIONS.get(symbol), start, end)

    def _old_font(self, match: re.Match[str]) -> int:
        r"""`{\rm tr}` and `{\bf x}`: a word, or one name a letter."""
        font, word, (start, end) = names.FONTS[_OLD_FONTS[match.group(1)]], match.group(2), match.span()
        if font == "upright" and len(word) > 1:
            if word in self.vocabulary.functions and word not in self.vocabulary.names:
                return self.put(FUNC, self.vocabulary.functions[word], start, end)
            return self.put(WORD, word, start, end)
        if font == "upright" and word == "T":
            return self.put(WORD, word, start, end)
        place = match.start(2)
        for k, letter in enumerate(word):
            self.lexed.fonts.setdefault(letter, set()).add(font)
            self.put(NAME, letter, start if len(word) == 1 else place + k, end if len(word) == 1 else place + k + 1)
        return end

    def _entries(self, end: int) -> bool:
        """In LaTeX a bracket behind a name holds indices only if it holds nothing but letters and numbers."""
        before = self.lexed.tokens[-1][0]
        if before in (NAME, ")", "]") and _SLICES.match(self.source, end):
            return True
        return before == NAME and bool(_ENTRIES.match(self.source, end))

    def number(self, match: re.Match[str]) -> int:
        digits, start, end = match.group(), match.start(), match.end()
        if digits[-1] == "." and self.source[end : end + 1] in ("", " ", "$", "\\", "\n"):
            digits, end = digits[:-1], end - 1  # a full stop after a formula
        reads_as_number(self.lexed, digits, start, end)
        return end

    def delimiter(self, match: re.Match[str]) -> int:
        size, name = match.group("sized"), match.group("delimiter")
        array = _ARRAY.match(self.source, match.start())
        if array is not None:
            kind = _ARRAYS_IN[array.group(1)][0]
            self.environments.append("array")
            self.arrays.append(array.group(1))
            return self.put("BEGIN", kind, match.start(), array.end())
        if match.start() in self.hidden:
            return match.end()
        if size == "left" and name == ".":
            return self.put("(", INVISIBLE, match.start(), match.end())
        if name in (".", "/") or size in ("middle", "bigm", "biggm"):
            return self.refuse(f"\\{size}{name} is not read", match.start(), match.end())
        side = 0 if size == "left" or size.endswith("l") else 1 if size == "right" or size.endswith("r") else 2
        return self.put(DELIMITERS[name][side], None, match.start(), match.end())

    def environment(self, match: re.Match[str]) -> int:
        closing = _ARRAY_END.match(self.source, match.start())
        if closing is not None and self.arrays and self.environments[-1:] == ["array"]:
            self.environments.pop()
            kind, bracket = _ARRAYS_IN[self.arrays.pop()]
            if closing.group(1) != bracket:
                return self.refuse("this array opens and closes differently", match.start(), closing.end())
            return self.put("END", kind, match.start(), closing.end())
        side, _, name = match.group()[1:-1].partition("{")
        base, start, end = name.rstrip("*"), match.start(), match.end()
        if base not in DISPLAY and base not in ARRAYS and base not in CASES:
            return self.refuse(f"the environment {name} is not known", start, end, "COMMAND")
        if side.strip() == "begin":
            self.environments.append(base)
        elif not self.environments:
            return self.refuse(f"\\end{{{name}}} without \\begin{{{name}}}", start, end)
        elif self.environments.pop() != base:
            return self.refuse(f"\\end{{{name}}} does not close the environment that is open", start, end)
        if base in DISPLAY:
            return end
        return self.put("BEGIN" if side.strip() == "begin" else "END", name, start, end)

    def command(self, match: re.Match[str]) -> int:
        name, start, end = match.group()[1:], match.start(), match.end()
        pattern, kind, value = _LONGER.get(name, (None, "", None))
        following = pattern.match(self.source, end) if pattern is not None else None
        if following is not None:
            return self.put(kind, value, start, following.end())
        known = COMMANDS.get(name)
        if known is not None:
            return self.put(known[0], known[1], start, end)
        if name in names.LATEX_GREEK:
            return self._greek(name, start, end)
        if (
            name in names.ACCENTS
            or name in names.FONTS
            or name in ("operatorname", "operatorname*", "mathbb", "mathbin", "mathds")
        ):
            return self._wrapper(name, start, end)
        if name in self.vocabulary.functions:
            return self.put(FUNC, self.vocabulary.functions[name], start, end)
        if "\\" + name in DELIMITERS:
            return self.put(DELIMITERS["\\" + name][2], None, start, end)
        if name in ("quad", "qquad"):  # a wide space may stand between two formulas, as a line end does
            return self.newline(match)
        if name in DROPPED:
            return end
        if name == "substack":
            return self._stack(start, end)
        if name in MARKS:
            closing = self.source.find("}", end)
            return closing + 1 if _TEXT_BODY.match(self.source, end) else self.refuse(f"\\{name} of what?", start, end)
        if name in REFUSED:
            return self.refuse(f"\\{name}: {REFUSED[name]}", start, end)
        return self.refuse(f"the command \\{name} is not known", start, end, "COMMAND")

    def _stack(self, start: int, end: int) -> int:
        r"""`\substack{j=1 \\ j \neq i}`: its braces are dropped, its lines are conditions."""
        opening = _OPENING.match(self.source, end)
        closing = self.source.find("}", end)
        if opening is None or closing < 0 or "{" in self.source[opening.end() : closing]:
            return self.refuse("\\substack is read of lines without braces", start, end)
        self.hidden.add(closing)
        return opening.end()

    def _greek(self, name: str, start: int, end: int) -> int:
        canonical = names.LATEX_GREEK[name]
        applied = bool(_FOLLOWED.match(self.source, end)) or self.source[end : end + 2] == "'("
        if applied and canonical not in self.vocabulary.names and name in self.vocabulary.functions:
            return self.put(FUNC, self.vocabulary.functions[name], start, end)
        return self.put(NAME, canonical, start, end)

    def _wrapper(self, name: str, start: int, end: int) -> int:
        r"""`\mathbf{x}`, `\hat y`, `\text{if }`, `\operatorname{tr}`: a font, an accent or words."""
        if name == "mathbin":
            return self._binary(start, end)
        over = _HATTED.match(self.source, end)
        if name in names.ACCENTS and over is not None:
            return self._blackboard(["E"], start, over.end())
        if names.FONTS.get(name) == "upright" or name.startswith("operatorname"):
            return self._words(name, start, end)
        found = self._decorated(end)
        if found is None:
            return self._complex(name, start, end)
        bases, accents, stop = found
        if name in ("mathbb", "mathds"):
            return self._blackboard(bases, start, stop)
        word = "".join(bases)
        if len(bases) > 1 and word in self.vocabulary.functions and _FOLLOWED.match(self.source, stop):
            return self.put(FUNC, self.vocabulary.functions[word], start, stop)
        if bases in (["1"], ["0"]):
            return self.put(ONE, None if bases == ["1"] else "zeros", start, stop)
        if bases[0].isdigit():
            if name in names.ACCENTS and name != "vec":
                return self.refuse(f"\\{name} goes over a letter", start, stop)
            reads_as_number(self.lexed, bases[0], stop - 1, stop)
            return stop
        accent = names.ACCENTS.get(name, "") if name in names.ACCENTS else ""
        font = names.FONTS.get(name) or name
        for k, base in enumerate(bases):
            value = names.LATEX_GREEK.get(base, base) + accents + accent
            self.lexed.fonts.setdefault(value, set()).add(font)
            single = len(bases) == 1
            self.put(
                NAME, value, start if single else stop - 1 - len(bases) + k, stop if single else stop - len(bases) + k
            )
        return stop

    def _decorated(self, place: int) -> tuple[list[str], str, int] | None:
        """The letters a font or accent applies to, the accents already inside, and where it ends."""
        accents, closing, source = "", 0, self.source
        for _ in range(8):
            match = _ASCII.match(source, place)
            if match is None:
                return None
            place = match.end()
            if match.group().endswith("{"):
                closing += 1
                continue
            command = (match.group(1) or "")[1:]
            if command in names.ACCENTS or command in names.FONTS:
                accents = names.ACCENTS.get(command, "") + accents
                continue
            if (command and command not in names.LATEX_GREEK) or match.group(3):
                return None
            base = [command or match.group(2)]
            while (
                closing and not command and source[place : place + 1].isascii() and source[place : place + 1].isalpha()
            ):
                base.append(source[place])
                place += 1
            for _ in range(closing):
                while source[place : place + 1] == " ":
                    place += 1
                if source[place : place + 1] != "}":
                    return None
                place += 1
            return (base, accents, place) if len(base) == 1 or not accents else None
        return None

    def _complex(self, name: str, start: int, end: int) -> int:
        """A font around a longer expression changes nothing; an accent over one is no name."""
        if name in names.FONTS and _ASCII.match(self.source, end):
            return end
        if name == "overline" and self.source[end : end + 1] == "{":
            return self.put(FUNC, "overline", start, end)
        return self.refuse(f"\\{name} goes over a single letter", start, end)

    def _blackboard(self, bases: list[str], start: int, end: int) -> int:
        if bases in (["1"], ["I"]):
            return self.put(ONE, None, start, end)
        if bases == ["R"]:
            return self.put(NAME, "R", start, end)
        if bases == ["E"] and _OVER_INDEX.match(self.source, end):
            return self.put("BIG", "mean", start, end)
        if len(bases) > 1:
            return self.put(WORD, "".join(bases), start, end)
        if bases == ["E"]:
            return self.refuse("an expectation is no formula of its variables", start, end, hint=EXPECTATION)
        return self.refuse(REFUSED["mathbb"], start, end)

    def _binary(self, start: int, end: int) -> int:
        r"""`\mathbin{@}` and `\mathbin{*}` are the operators of NumPy text, printed in LaTeX."""
        match = re.compile(r"\{([@*])\}").match(self.source, end)
        if match is None:
            return self.refuse("\\mathbin is read around @ and * only", start, end)
        self.lexed.numpy = True
        return self.put("@" if match.group(1) == "@" else "star", None, start, match.end())

    def _words(self, name: str, start: int, end: int) -> int:
        r"""`\mathrm{..}`, `\text{..}`, `\operatorname{..}`: a keyword, a function or a word."""
        match = _TEXT_BODY.match(self.source, end) or (_SET_WORD.match(self.source, end) if name[:2] == "op" else None)
        if match is None:
            following = re.compile(r"\s+([A-Za-z])").match(self.source, end)
            if following is None:
                return self.refuse(f"\\{name} should be followed by a word in braces", start, end)
            return self.put(WORD, following.group(1), start, following.end())
        inner, stop = _THIN.sub("", match.group(1)).replace("\\_", "_").replace("\\ ", " ").strip(" ~:,."), match.end()
        inner = "argmax" if inner == "arg max" else inner
        if name.startswith("text") and inner.lower() in SENTENCE:
            return self.put(SENTENCE[inner.lower()], None, start, stop)
        if inner in ("1", "0"):
            return self.put(ONE, None if inner == "1" else "zeros", start, stop)
        if not inner and not match.group(1).strip():
            return stop
        if len(inner) > names.MAX_NAME:
            return self.refuse(f"a name may have {names.MAX_NAME} characters", start, stop, "LIMIT_NAME")
        if self._remarks():
            return stop
        closing = _CLOSING.match(self.source, stop)
        tokens = self.lexed.tokens
        if " " in inner and closing and len(tokens) > 1 and tokens[-1][0] == "(" and tokens[-2][0] in OPERAND_END:
            tokens.pop()
            self.lexed.notes.append(f"the remark ({inner}) is not read")
            return closing.end()
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", inner):
            return self.refuse("a word of letters is expected in these braces", match.start(1), match.end(1))
        soft = inner in self.vocabulary.names or (
            inner in self.vocabulary.soft and not _FOLLOWED.match(self.source, stop)
        )
        if inner in self.vocabulary.functions and (name.startswith("op") or not soft):
            return self.put(FUNC, self.vocabulary.functions[inner], start, stop)
        if name.startswith("op") and inner not in self.words:
            return self.put("UNKNOWN", inner, start, stop)
        self.lexed.fonts.setdefault(inner, set()).add("upright")
        return self.put(WORD, inner, start, stop)

    def _remarks(self) -> bool:
        r"""Whether words may stand here as a remark: below a brace, `\underbrace{...}_{\text{data loss}}`."""
        tokens = self.lexed.tokens
        below = [token[0] for token in tokens[-3:]] in (["}", "_", "{"], ["}", "^", "{"])
        return below and any(token[0] == "BRACE" for token in tokens)

    def escape(self, match: re.Match[str]) -> int:
        kinds = {"\\{": "\\{", "\\}": "\\}", "\\|": "||"}
        kind = kinds.get(match.group())
        if kind is None:
            return self.refuse(f"unexpected {match.group()}", match.start(), match.end())
        return self.put(kind, None, match.start(), match.end())

    def newline(self, match: re.Match[str]) -> int:
        if self.lexed.tokens and self.lexed.tokens[-1][0] != NEWLINE:
            self.put(NEWLINE, None, match.start(), match.end())
        return match.end()

    def symbol(self, match: re.Match[str]) -> int:
        """Unicode mathematics in LaTeX: the same tokens as in text."""
        found = text.MASTER.match(self.source, match.start())
        if found is None or found.lastgroup == "word":
            letter = match.group()
            if found is None or not letter.isalpha():
                bad_character(self.lexed, letter, match.start())
                return match.end()
            return self.put(NAME, names.word(letter), match.start(), match.end())
        text.lex_one(self.lexed, self.vocabulary, found)
        return found.end()
