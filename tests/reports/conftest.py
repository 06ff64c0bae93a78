"""Reports of each kind, in which any text may stand wherever a model or a user writes."""

from __future__ import annotations

import pytest

from fairseq_instr.evaluation.metrics import all_scores

SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"


def response(rate):
    return {"lines": 10, "rate": rate, "low": 0.9 * rate, "high": 1.0, "chrf2": 50.0,
            "adequacy": 0.9}  # fmt: skip


def sample(asked, system, text, marks):
    outputs = {system: {"text": text, "marks": marks}}
    return {"asked": asked, "source": text, "reference": text, "outputs": outputs}


def instructed(text="plain"):
    """A report on instructions; `text` stands wherever a model or a user writes."""
    names = ["uppercase", text]
    pair = " + ".join(names)
    return {
        "kind": "instructions", "version": 2,
        "command": f"fairseq-instr evaluate --decoding {text}",
        "conditions": {"decoding": text},
        "response_rate": {
            "mean": 0.75, "base_mean": 0.01,
            "by_instruction": {"uppercase": 0.5, text: 1.0},
            "base_by_instruction": {"uppercase": 0.0, text: 0.0},
        },
        "adequacy": {"mean": 0.9, "min": 0.9, "by_instruction": dict.fromkeys(names, 0.9)},
        "axes": {"uppercase": "case", text: text},
        "responses": {
            "base": {name: response(0.0) for name in names},
            "tuned": {"uppercase": response(0.5), text: response(1.0)},
        },
        "pairs": {"count": 1, "mean": 0.25, "adequacy": 0.9, "by_pair": {pair: response(0.25)}},
        "triples": {"count": 1, "mean": 0.125, "adequacy": 0.8, "chrf2": 44.4,
                    "by_triple": {f"{pair} + html-bold": response(0.125)}},
        "reranked": {
            "n_best": 4, "response_rate": 0.875, "adequacy": 0.9, "chrf2": 51.5, "pairs": 0.5,
            "triples": None, "by_instruction": {},
            "best": {"response_rate": 0.75, "adequacy": 0.9, "chrf2": 50.5, "pairs": 0.25,
                     "triples": None},
        },
        "chrf2": {"base": 59.4, "tuned": 62.3},
        "bleu": {"base": 35.46, "tuned": 37.79},
        "signatures": {"bleu": SIGNATURE},
        "significance": {"BLEU": {"tuned": {"score": 37.79, "p_value": 0.01}}},
        "interpolation": {
            weight: {"response_rate": float(weight), "adequacy": 0.9, "chrf2": 60.0, "bleu": 36.0}
            for weight in ("0", "0.5", "1")
        },
        "samples": [
            {
                "asked": pair, "source": text, "reference": text,
                "outputs": {
                    "base": {"text": "", "marks": {"uppercase": False, text: False}},
                    "tuned": {"text": text, "marks": {"uppercase": True, text: False}},
                },
            }
        ],
    }  # fmt: skip


def directed(text="mt"):
    """A report on directions."""
    scores = {score.name: 12.5 for score in all_scores()}
    scores.update(dict.fromkeys(("pivot_bleu", "pivot_off_target"), 12.5))
    found = {"means": {"zero_shot": scores}, "directions": {"de-fr": scores}}
    return {
        "kind": "directions", "version": 2,
        "command": "fairseq-instr directions --directions de-fr",
        "conditions": {"decoding": text},
        "directions": {"zero_shot": ["de-fr"], "supervised": []},
        "signatures": {"bleu": SIGNATURE},
        "floor": {"de-fr": scores},
        "systems": {
            text: {
                **found, "deviations": {"zero_shot": scores},
                "seeds": [{"checkpoint": text, **found}, {"checkpoint": "b", **found}],
            }
        },
        "samples": [sample("de-fr", text, text, {"in fr": True})],
    }  # fmt: skip


def formality(text="plain"):
    """A report on formality."""
    kind = {
        "accuracy": 0.912, "coverage": 0.5, "counts": {"FORMAL": 1, "NEUTRAL": 1},
        "domains": {"talk": {"accuracy": 0.5, "coverage": 0.25}}, "bleu": 30.0, "chrf2": 55.0,
    }  # fmt: skip
    return {
        "kind": "formality", "version": 2, "command": text, "conditions": {"decoding": text},
        "systems": {"references": {"formal": kind}, "tuned": {"formal": kind, "informal": kind}},
        "signatures": {"bleu": SIGNATURE}, "plain": {"tuned": {"bleu": 12.34, "chrf2": 45.6}},
        "examples": [{"source": text, "formal": text}],
    }  # fmt: skip


def attacked(text="plain"):
    """A report on robustness."""
    rates = {"cases": 20, "changed": 0.25, "changed_control": 0.05, "p_value": 0.01,
             "aimed_cases": 10, "aimed": 0.125, "aimed_control": 0.0}  # fmt: skip
    obeyed = {"trusted_cases": 8, "obeyed_clean": 1.0, "obeyed_control": 0.95,
              "obeyed_attacked": 0.85, "obeyed_p_value": 0.5}  # fmt: skip
    return {
        "kind": "robustness", "version": 2, "command": text, "conditions": {},
        "robustness": {
            **rates, **obeyed, "counted": ["uppercase"], "base": rates,
            "by_kind": {"words": {**rates, **obeyed, "base": rates}},
            "by_instruction": {"uppercase": {"attacked": 5, "control": 1}},
            "examples": [{"kind": "words", "source": f"{text}\u200b", "output": text,
                          "changed": ["uppercase"]}],
        },
    }  # fmt: skip


def general(text="plain"):
    """A report on general tasks."""
    obeyed = {"tasks": 4, "strict": 0.25, "low": 0.05, "high": 0.7, "loose": 0.5, "unasked": 0.0}
    figures = {"nll": 1.7364, "tokens": 219, "english": 0.75, "english_tasks": 8, **obeyed}
    return {
        "kind": "general_tasks", "version": 2, "command": text, "conditions": {"tasks": text},
        "systems": {"before": {**figures, "constraints": {"json": obeyed}}, text: {"nll": 2.0}},
        "signatures": {"english": text},
        "samples": [sample("json", "before", text, {"obeyed": False})],
    }  # fmt: skip


@pytest.fixture(scope="session")
def make_report():
    """`make_report(kind, text="plain")` -> a report with samples of everything."""
    makers = {
        "instructions": instructed, "directions": directed,
        "formality": formality, "robustness": attacked, "general_tasks": general,
    }  # fmt: skip
    return lambda kind, *text: makers[kind](*text)
