"""What `report.json` holds: one declaration for each kind of report, and its versions.

Reports of version 1 have neither kind nor version, and lack what was not measured then: `complete`
tells their kind by their keys and fills the gaps, so that every key is there, with None or nothing
behind it where there is no figure.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple

from fairseq_instr.errors import InputError

VERSION = 2
INSTRUCTIONS, DIRECTIONS = "instructions", "directions"
FORMALITY, ROBUSTNESS = "formality", "robustness"
GENERAL_TASKS = "general_tasks"
ZERO_SHOT, SUPERVISED = "zero_shot", "supervised"
JOINT = " + "  # between the names of instructions that are asked for at once
WRAPPER_COUNTED = (
    "measured before version 2 of reports: what an instruction puts around a sentence counted as "
    "translated text, so that adequacy and chrF2 under wrapping instructions are too high"
)
"""What is said of the adequacy of reports of version 1."""

# -- the declaration: NUMBER and TEXT are values, or None; a dict has these keys among others;
# Named is a dict with any keys; a list has any number of entries
NUMBER, TEXT, ANY = (int, float), (str,), (object,)


class Named(NamedTuple):
    """Any names, with a value of one declaration each."""

    each: Any


def _keys(names: str, declaration: Any = NUMBER) -> Dict[str, Any]:
    return dict.fromkeys(names.split(), declaration)


_RESPONSE = _keys("lines rate low high chrf2 adequacy")
_COMPOSITIONS = _keys("count mean adequacy chrf2")
_RERANKED = _keys("response_rate adequacy chrf2 pairs triples")
_SAMPLES = [{**_keys("asked source reference", TEXT),
             "outputs": Named({"text": TEXT, "marks": Named(ANY)})}]  # fmt: skip
_SCORES = Named(NUMBER)
_MEANS = {ZERO_SHOT: _SCORES, SUPERVISED: _SCORES}
_MEASURED = {"means": _MEANS, "directions": Named(_SCORES)}
_VERDICTS = {**_keys("accuracy coverage bleu chrf2"), "counts": Named(NUMBER)}
_CONSTRAINED = _keys("tasks strict low high loose unasked")
_ATTACKED = _keys(
    "cases changed changed_control p_value aimed_cases aimed aimed_control trusted_cases "
    "obeyed_clean obeyed_control obeyed_attacked obeyed_p_value"
)
_COMMON = {
    **_keys("kind command", TEXT), "version": NUMBER, "conditions": Named(ANY),
    "signatures": Named(TEXT), "samples": _SAMPLES,
}  # fmt: skip

SCHEMA: Mapping[str, Mapping[str, Any]] = {
    INSTRUCTIONS: {
        **_COMMON,
        "response_rate": {**_keys("mean base_mean"),
                          **_keys("by_instruction base_by_instruction", _SCORES)},
        "adequacy": {**_keys("mean min"), "by_instruction": _SCORES},
        "axes": Named(TEXT),
        "responses": _keys("base tuned", Named(_RESPONSE)),
        "pairs": {**_COMPOSITIONS, "by_pair": Named(_RESPONSE)},
        "triples": {**_COMPOSITIONS, "by_triple": Named(_RESPONSE)},
        "reranked": {**_RERANKED, "n_best": NUMBER, "best": _RERANKED},
        "phrasings": {**_keys("trained unseen"), "adequacy": _keys("trained unseen"),
                      "by_instruction": Named(_keys("trained unseen", _RESPONSE))},
        "significance": Named(Named(_keys("score p_value"))),
        "interpolation": Named(_keys("response_rate adequacy chrf2 bleu")),
        "examples": Named(_keys("source base tuned", TEXT)),
        **_keys("bleu chrf2", _SCORES),
    },
    DIRECTIONS: {
        **_COMMON,
        "directions": _keys("zero_shot supervised", [TEXT]),
        "floor": Named(_SCORES),
        "systems": Named(
            {**_MEASURED, "deviations": _MEANS, "seeds": [{"checkpoint": TEXT, **_MEASURED}]}
        ),
    },
    FORMALITY: {
        **_COMMON,
        "systems": Named(Named({**_VERDICTS, "domains": Named(_VERDICTS)})),
        "plain": Named(_keys("bleu chrf2")),
        "examples": [Named(TEXT)],
    },
    ROBUSTNESS: {
        **_COMMON,
        "robustness": {
            **_ATTACKED, "counted": [TEXT],
            "base": _ATTACKED, "by_kind": Named({**_ATTACKED, "base": _ATTACKED}),
            "by_instruction": Named(_keys("attacked control")),
            "examples": [{**_keys("kind source output", TEXT), "changed": [TEXT]}],
        },
    },
    GENERAL_TASKS: {
        **_COMMON,
        "systems": Named({**_keys("nll tokens english english_tasks"), **_CONSTRAINED,
                          "constraints": Named(_CONSTRAINED)}),
    },
}  # fmt: skip

# key of version 1 -> the kind that has it; the first one counts
_TOLD_BY = {
    "response_rate": INSTRUCTIONS,
    "directions": DIRECTIONS,
    "robustness": ROBUSTNESS,
    "systems": FORMALITY,
}


def new_report(kind: str, conditions: Mapping[str, object], **content: Any) -> Dict[str, Any]:
    """A report of this version, as it is written to `report.json`."""
    return {"kind": kind, "version": VERSION, "conditions": dict(conditions), **content}


def complete(content: object) -> Dict[str, Any]:
    """A report of any version, with all keys that its kind has.

    Raises:
        InputError: if it is no report, of a later version, or holds something else than a report
            of its kind.
    """
    if not isinstance(content, dict):
        raise InputError("it is no report; give a report.json of an evaluation")
    kind = content.get("kind", next((_TOLD_BY[key] for key in _TOLD_BY if key in content), None))
    if not isinstance(kind, str) or kind not in SCHEMA:
        raise InputError(
            f"it is no report: its kind is {kind!r:.40}; accepted: {', '.join(SCHEMA)}, or a "
            f"report of old with one of the keys {', '.join(_TOLD_BY)}"
        )
    version = content.get("version", 1)
    if version not in (1, VERSION):
        raise InputError(f"its version is {version!r:.40}; accepted: 1 and {VERSION}")
    if version == 1 and isinstance(content.get("axes"), int):
        content = {**content, "axes": None}  # figures in short have but their number
    report = _filled({**content, "kind": kind, "version": version}, SCHEMA[kind], "report")
    if version == 1 and kind == INSTRUCTIONS:
        _upgrade(report)
    return report


def _filled(value: Any, declared: Any, where: str) -> Any:
    """A value with all that is declared, None or nothing where there is nothing."""
    if isinstance(declared, Named):
        entries = _of_type(value, dict, where) or {}
        return {k: _filled(each, declared.each, f"{where}.{k}") for k, each in entries.items()}
    if declared is _RESPONSE and isinstance(value, NUMBER):
        value = {"rate": value}  # figures in short have the rate alone
    if isinstance(declared, dict):
        entries = _of_type(value, dict, where) or {}
        own = {k: _filled(entries.get(k), d, f"{where}.{k}") for k, d in declared.items()}
        return {**entries, **own}
    if isinstance(declared, list):
        items: List[Any] = _of_type(value, list, where) or []
        return [_filled(each, declared[0], f"{where}[{i}]") for i, each in enumerate(items)]
    return _of_type(value, declared, where)


def _of_type(value: Any, kinds: Any, where: str) -> Any:
    if value is not None and not isinstance(value, kinds):
        raise InputError(f"it is no complete report: its {where:.80} is a {type(value).__name__}")
    return value


def _upgrade(report: Dict[str, Any]) -> None:
    """Give a report on instructions of version 1 the names that its figures have now."""
    pairs, rates, responses = report["pairs"], report["response_rate"], report["responses"]
    if pairs["mean"] is None:
        pairs["mean"] = _of_type(pairs.get("both_obeyed"), NUMBER, "pairs.both_obeyed")
    for system, key in (("tuned", "by_instruction"), ("base", "base_by_instruction")):
        responses[system] = responses[system] or _filled(rates[key], Named(_RESPONSE), key)
    report["conditions"]["adequacy"] = WRAPPER_COUNTED
