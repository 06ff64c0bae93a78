"""The web application of the playground: the page, and the two addresses that it asks.

`GET /instructions` tells what can be asked for, by axis; `POST /translate` takes
`{"text": "...", "instructions": [{"name": "formal"}, ...]}`. Requests from other sites are
refused: a page elsewhere could otherwise make a browser ask the models behind this one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import FrozenSet, List, Mapping, NamedTuple, Optional

from flask import Flask, jsonify, request
from werkzeug.exceptions import HTTPException

from fairseq_instr.errors import InputError
from fairseq_instr.generation.lines import LineTranslator
from fairseq_instr.instructions.asking import Written, parse, split
from fairseq_instr.instructions.catalogue import find
from fairseq_instr.instructions.composition import compose, verify
from fairseq_instr.instructions.instruction import Context, Instruction
from fairseq_instr.instructions.inventory import TARGET_LANGUAGE, Inventory

PAGE = Path(__file__).parent / "page"
MAX_TEXT = 2000  # longest text in characters
MAX_BODY = 64 * 1024  # longest body of a request in bytes
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; form-action 'none'; "
    "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class System(NamedTuple):
    """A model on the page."""

    translator: LineTranslator  # loaded for the page's languages
    asked: bool  # whether it gets the instructions; a base model, which knows none, does not


def create_app(
    systems: Mapping[str, System], language: str, hosts: Optional[FrozenSet[str]] = None
) -> Flask:
    """The application.

    Args:
        systems: by the name that the page shows.
        language: target language, for the verifiers.
        hosts: names under which it may be reached, without the port; None for any.
    """
    app = Flask(__name__, static_folder=str(PAGE), static_url_path="/page")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    inventory = next((s.translator.inventory for s in systems.values() if s.asked), Inventory())

    @app.before_request
    def refuse_other_sites():
        # a name that an attacker points here (DNS rebinding), or a page of another site
        if hosts is not None and _host_of(request.host) not in hosts:
            return _error(f"host {request.host!r:.80} is not accepted", 403)
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"{request.scheme}://{request.host}":
            return _error(f"requests from {origin!r:.80} are not accepted", 403)
        return None

    @app.after_request
    def add_headers(response):
        response.headers.update(HEADERS)
        return response

    @app.errorhandler(InputError)
    def refuse(error):
        return _error(" ".join(str(error).split()), 400)

    @app.errorhandler(HTTPException)
    def refuse_request(error):
        return _error(error.description, error.code)

    @app.get("/")
    def page():
        return app.send_static_file("index.html")

    @app.get("/favicon.ico")
    def icon():
        return "", 204  # browsers ask for one

    @app.get("/instructions")
    def instructions():
        return jsonify(
            axes=describe(inventory), systems=list(systems), language=language, longest=MAX_TEXT
        )

    @app.post("/translate")
    def translate():
        text, asked = _read(request.get_data())
        instruct = ", ".join(map(str, asked))
        compose(instruct, inventory)  # refused before any model is run
        wanted = [(str(name), _with_verifier(str(name))) for name in asked]
        results = []
        for name, system in systems.items():
            (best,), *_ = system.translator.translate_n_best(
                [text], instruct if system.asked else ""
            )
            results.append(
                {
                    "system": name,
                    "asked": system.asked,
                    "text": best.text,
                    "score": round(best.score, 4),
                    "marks": judge(wanted, best.text, Context(source=text, language=language)),
                }
            )
        return jsonify(results=results)

    return app


def describe(inventory: Inventory) -> List[dict]:
    """What the page shows of an inventory, by axis; directions are the server's to choose."""
    return [
        {
            "axis": axis,
            "instructions": [
                {
                    "name": inventory[i].name,
                    "phrase": next(iter(inventory[i].phrases), ""),
                    "argument": inventory[i].argument,
                    "verified": _with_verifier(inventory[i].name) is not None,
                }
                for i in inventory.members(axis)
            ],
        }
        for axis in inventory.axes
        if axis != TARGET_LANGUAGE
    ]


def judge(wanted, output: str, context: Context) -> List[dict]:
    """Whether an output obeys what was asked for.

    Args:
        wanted: `[(name, instruction)]`, the instruction None where it has no verifier; one that
            does not serve the language has none either.
        context: source and language.

    Returns:
        `[{"name": ..., "obeyed": true, false or None}]`
    """
    known = {name: i for name, i in wanted if i is not None and i.serves(context.language)}
    verdict = verify(known.values(), output, context)
    obeyed = {name: verdict[instruction.name] for name, instruction in known.items()}
    return [{"name": name, "obeyed": obeyed.get(name)} for name, _ in wanted]


def _with_verifier(name: str) -> Optional[Instruction]:
    instruction = find(name)
    return instruction if instruction and instruction.obeys else None


def _read(body: bytes):
    """Text and requests of a body that is as the module's docstring says."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("the body is not JSON") from None
    text, asked = "", None
    if isinstance(content, dict) and set(content) == {"text", "instructions"}:
        text, asked = content["text"], content["instructions"]
    if not isinstance(text, str) or not isinstance(asked, list):
        raise InputError("the body has two keys: text, a string, and instructions, a list")
    if len(text) > MAX_TEXT:
        raise InputError(f"the text has {len(text)} characters; at most {MAX_TEXT}")
    return text, [_read_request(entry) for entry in asked]


def _read_request(entry: object) -> Written:
    content = entry if isinstance(entry, dict) else {}
    name, argument = content.get("name"), content.get("argument")
    if not isinstance(name, str) or not isinstance(argument, (str, type(None))):
        raise InputError("an instruction has a name, and an argument where it takes one")
    asked = Written(name, argument)
    # a name with a comma or an `=` in it would be read as something else
    if parse(str(asked)) != (str(asked),) or split(str(asked)) != asked:
        raise InputError(f"unknown instruction {name!r:.80}")
    return asked


def _host_of(host: str) -> str:
    """`localhost:8000` -> `localhost`; `[::1]:8000` -> `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _error(message: str, code: int):
    return jsonify(error=message), code
