r"""One canonical name for all spellings of a variable.

Contract: `canonical` maps text, Unicode and LaTeX spellings of one variable to the same name (`\theta`, `θ` and
`theta` to ``theta``; `\hat{y}`, `ŷ` and `y_hat` to ``yhat``; `W1` and `W_1` to ``W_1``); `to_text` and `to_latex`
print a name so that `canonical` reads it back.  Case is never folded.  A name is a stem, then `_label`, then
`^(number)`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from symgrad.errors import InputError, LimitError, NameProblem

MAX_NAME = 64

#: Greek letters by their LaTeX name; `lam` is short because `lambda` is a keyword of Python.
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lam": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ",
}  # fmt: skip
#: Other spellings of the same letters.
ALIASES = {
    "lambda": "lam", "varepsilon": "epsilon", "eps": "epsilon", "vartheta": "theta", "varphi": "phi",
    "varsigma": "sigma", "varrho": "rho", "varpi": "pi",
}  # fmt: skip
LETTERS = {symbol: name for name, symbol in GREEK.items()} | {
    "ϵ": "epsilon", "ϑ": "theta", "ϕ": "phi", "ϖ": "pi", "ϱ": "rho", "ς": "sigma", "µ": "mu",
}  # fmt: skip
LATEX_GREEK = {("lambda" if name == "lam" else name): name for name in GREEK} | {
    spelling: name for spelling, name in ALIASES.items() if spelling.startswith("var")
}
#: Accents by what they add to a stem: in LaTeX, as a combining mark, as a word.
ACCENTS = {
    "hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde", "bar": "bar", "overline": "bar",
    "dot": "dot", "check": "check", "vec": "", "underline": "", "overrightarrow": "",
}  # fmt: skip
MARKS = {
    "\u0302": "hat",
    "\u0303": "tilde",
    "\u0304": "bar",
    "\u0305": "bar",
    "\u0307": "dot",
    "\u030c": "check",
    "\u20d7": "",
}
DECORATIONS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "dot": "\u0307", "check": "\u030c"}
FONTS = {
    "mathbf": "bold", "boldsymbol": "bold", "bm": "bold", "pmb": "bold", "mathbfit": "bold", "mathcal": "calligraphic",
    "mathscr": "calligraphic", "mathfrak": "fraktur", "mathrm": "upright", "mathit": "italic", "mathsf": "sans",
    "mbox": "upright", "textnormal": "upright", "textsf": "upright", "textit": "upright",
    "text": "upright", "textrm": "upright", "textbf": "bold", "mathtt": "upright", "texttt": "upright",
}  # fmt: skip

_WRAPPED = re.compile(r"\\([A-Za-z]+)\s*\{(.*)\}|\\([A-Za-z]+)(?:\s+(.+)|(\\.+))", re.DOTALL)
#: Signs below a name, as in k_+ and k_-, and the labels that they are.
SIGNS = {"+": "plus", "-": "minus"}
_SIGNED = {label: sign for sign, label in SIGNS.items()}
#: A letter with a number, as t-1 of h_{t-1} and l+1 of z^{(l+1)}.
_SHIFTED = re.compile(r"(\\?[^\W\d_]+)\s*([+-])\s*([0-9]+)")
#: X_{(1)} is X_1; \Delta u is one name.
_BRACKETED = re.compile(r"\(([0-9]+)\)")
_CHANGE = re.compile(r"\\Delta\s*(\\?[A-Za-z].*)", re.DOTALL)
_STEM = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff][A-Za-z0-9\u00c0-\u024f\u1e00-\u1eff]*")
_NUMBERED = re.compile(r"([^\W\d_]+)([0-9]+)")
_SCRIPT = re.compile(
    r"([_^])(?:\{((?:[^{}]|\{[^{}]*\})*)\}|(\\[A-Za-z]+|[A-Za-z0-9]+(?:[+-][0-9]+)?|\([A-Za-z0-9]+(?:[+-][0-9]+)?\)|.))",
    re.DOTALL,
)


@lru_cache(4096)
def canonical(spelling: str) -> str:
    """The one name of the variable spelled `spelling`; refuses what is no name (NAME) or too long (LIMIT_NAME)."""
    text = unicodedata.normalize("NFC", spelling.strip())
    if text.endswith("'") and len(text) > 1:  # x' is a name where it is declared as one
        return canonical(text[:-1]) + "prime"
    change = _CHANGE.fullmatch(text)
    if change is not None:  # Δu, one name where it is declared as one
        return "Delta" + canonical(change.group(1))
    if len(text) > 4 * MAX_NAME:
        raise LimitError(f"a name may have {MAX_NAME} characters", source=spelling, code="LIMIT_NAME")
    if text.endswith("_") and len(text) > 1:  # a trailing underscore is part of the name, as in Python
        return canonical(text[:-1]) + "_"
    cut = _script_start(text)
    name = numbered(_stem(text[:cut], spelling))
    while cut < len(text):
        match = _SCRIPT.match(text, cut)
        if match is None:
            raise NameProblem(f"{spelling!r} is not a name", source=spelling, offset=cut)
        mark, body = match.group(1), match.group(2) if match.group(2) is not None else match.group(3)
        name = subscripted(name, _label(body, spelling)) if mark == "_" else superscripted(name, body)
        cut = match.end()
    if len(name) > MAX_NAME:
        raise LimitError(f"a name may have {MAX_NAME} characters", source=spelling, code="LIMIT_NAME")
    return name


def _script_start(text: str) -> int:
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if char in "_^" and depth <= 0 and place:
            return place
    return len(text)


def _label(body: str, spelling: str) -> str:
    body = _BRACKETED.sub(r"\1", body.strip())
    if body in SIGNS:
        return SIGNS[body]
    stars = body.replace("\\ast", "*").replace("\\star", "*")
    if stars and set(stars) == {"*"}:
        return "star" * len(stars)
    match = _WRAPPED.fullmatch(body)
    if match and match.group(1) in FONTS:
        body = match.group(2)
    shifted = _SHIFTED.fullmatch(body)
    if shifted:
        return _stem(shifted.group(1), spelling) + shifted.group(2) + shifted.group(3)
    body = body.replace("\\_", "_")
    body = body[1:] if body[:1] == "\\" and body[1:].isalpha() and body[1:] not in LATEX_GREEK else body  # \max
    return "_".join(_stem(part, spelling) if not part.isdigit() else part for part in body.split("_") if part) or "_"


def _stem(text: str, spelling: str) -> str:
    """A stem without scripts: fonts dropped, accents spelled out, Greek by name."""
    text = text.strip()
    match = _WRAPPED.fullmatch(text)
    if match:
        command = match.group(1) or match.group(3)
        inner = match.group(2) if match.group(1) else match.group(4) or match.group(5)
        if command in ACCENTS:
            return _stem(inner, spelling) + ACCENTS[command]
        if command in FONTS or command == "operatorname":
            return _stem(inner, spelling)
        raise NameProblem(f"{spelling!r} is not a name", source=spelling)
    if text.startswith("\\") and text[1:] in LATEX_GREEK:
        return LATEX_GREEK[text[1:]]
    return word(text, spelling)


def word(text: str, spelling: str = "") -> str:
    """The stem spelled by letters, possibly with combining marks: `ŷ` is yhat, `λ` is lam, `theta` is theta."""
    if text.isascii() and text.isalnum() and text[:1].isalpha():
        return ALIASES.get(text, text)
    letters = unicodedata.normalize("NFD", text)
    marks = "".join(MARKS.get(c, "?") for c in letters if unicodedata.combining(c))
    base = "".join(c for c in letters if not unicodedata.combining(c)) if marks.count("?") == 0 else text
    greek = re.fullmatch(r"(.)([0-9]*)", base)
    if greek and greek.group(1) in LETTERS:
        return LETTERS[greek.group(1)] + greek.group(2) + marks
    if not _STEM.fullmatch(base):
        raise NameProblem(
            f"{spelling or text!r} is not a name", source=spelling or text, hint="a name starts with a letter"
        )
    return ALIASES.get(base, base) + ("" if base is text else marks)


def numbered(stem: str) -> str:
    """`W1` is `W_1`."""
    if not stem[-1:].isdigit():
        return stem
    match = _NUMBERED.fullmatch(stem)
    return f"{ALIASES.get(match.group(1), match.group(1))}_{int(match.group(2))}" if match else stem


def subscripted(name: str, label: str) -> str:
    """The name with a word or number below: `W` and `hh` make `W_hh`; `y` and `hat` make `yhat`."""
    if "^" in name:
        stem, _, above = name.partition("^")
        return f"{subscripted(stem, label)}^{above}"
    return name + label if label in DECORATIONS and "_" not in name else f"{name}_{label}"


def superscripted(name: str, body: str) -> str:
    """The name with a number in brackets above: `W^{[1]}` and `W^{(1)}` are `W^(1)`."""
    inner = body.strip()
    if inner in ("*", "\\ast", "\\star"):
        return name + "^*"
    if inner in ("+", "-"):
        return f"{name}^{inner}"
    match = re.fullmatch(r"[(\[]?\s*(\w+(?:\s*[+-]\s*[0-9]+)?)\s*[)\]]?", inner)
    if match is None:
        raise InputError(f"{body!r} above a name: write a number in brackets, as in W^(1)", source=name, code="NAME")
    return f"{name}^({match.group(1).replace(' ', '')})"


def parts(name: str) -> tuple[str, str, str]:
    """(stem, label, superscript) of a canonical name; label and superscript may be empty."""
    stem, _, above = name.partition("^")
    stem, _, label = stem.partition("_")
    return stem, label, above


def decorated(stem: str) -> tuple[str, str]:
    for accent in DECORATIONS:
        base = stem[: -len(accent)]
        if stem.endswith(accent) and (len(base) == 1 or base in GREEK):
            return base, accent
    return stem, ""


def to_text(name: str) -> str:
    """The name as Unicode text: λ, θ, ŷ, W_1, W_hh, a^{(2)}."""
    if name.endswith("_"):
        return name
    stem, label, above = parts(name)
    base, accent = decorated(stem)
    symbol = GREEK.get(base, base)
    shown = unicodedata.normalize("NFC", symbol + DECORATIONS[accent]) if accent else symbol
    below = "_" + "_".join(GREEK.get(part, part) for part in label.split("_")) if label else ""
    below = f"_{{{_SIGNED[label]}}}" if label in _SIGNED else below
    if _SHIFTED.fullmatch(label):
        below = f"_{{{label}}}"
    return shown + below + (f"^{{{above}}}" if above else "")


def to_latex(name: str) -> str:
    r"""The name as LaTeX: \lambda, \theta, \hat{y}, W_{1}, W_{\mathrm{hh}}, a^{(2)}."""
    if name.endswith("_"):
        return f"\\mathrm{{{name[:-1]}\\_}}"
    stem, label, above = parts(name)
    base, accent = decorated(stem)
    shown = f"\\{accent}{{{_latex_word(base)}}}" if accent else _latex_word(base)
    below = f"_{{{_latex_label(label)}}}" if label else ""
    return shown + below + (f"^{{{above}}}" if above else "")


def _latex_word(text: str) -> str:
    if text in GREEK:
        return "\\lambda" if text == "lam" else "\\" + text
    return text if len(text) == 1 else f"\\mathrm{{{text}}}"


def _latex_label(label: str) -> str:
    label = _SIGNED.get(label, label)
    return (
        label
        if label.isdigit() or label in SIGNS or _SHIFTED.fullmatch(label)
        else _latex_word(label).replace("_", r"\_")
    )
