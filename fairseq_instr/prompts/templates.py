"""Instructions in words: a natural-language template around the source, in its own vocabulary.

A template is a small YAML file, see `Template`. With a Hugging Face tokenizer the prompt is spelled
as one text with the source: LLaMA 3 has one token for a full stop and the line break behind it.
With a SentencePiece model the source is spelled apart.
"""

from __future__ import annotations

import itertools
import json
import os
import string
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from fairseq_instr.errors import InputError
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.instruction import Instruction
from fairseq_instr.instructions.inventory import Inventory, direction, target_language
from fairseq_instr.plain_data import build, parse_json, read_yaml
from fairseq_instr.prompts.prompt import Rendering
from fairseq_instr.text.dictionary import check_vocabulary
from fairseq_instr.text.hugging_face import HuggingFaceSubwords
from fairseq_instr.text.languages import language_of, languages
from fairseq_instr.text.lines import read_lines
from fairseq_instr.text.subwords import load_subwords

LIBRARY = Path(__file__).with_name("library")
MAX_CACHED = 4096
SOURCE, TARGET = "source", "target"
INSTRUCTIONS, SOURCE_LANGUAGE = "instructions", "source_language"
REQUIRED = {"prompt": (SOURCE,), "demonstration": (SOURCE, TARGET)}
"""Slots that a text must have, beside `INSTRUCTIONS` and `SOURCE_LANGUAGE`, which it may have."""

Piece = Union[str, Tuple[int, ...]]  # text, or tokens that are spelled already
_PLACE: Piece = (-1,)  # stands where the source goes
SEAMS = 4  # tokens that a prompt may have more where it is spelled as one text with the source


def library() -> Tuple[str, ...]:
    """Names of the templates that come with the package."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.yaml")))


@dataclass(frozen=True)
class Template:
    """How instructions are said around a source.

    `{instructions}` stands for the phrases of all instructions, `{source_language}` for the name of
    the source's language; `{{` is a brace.
    """

    prompt: str  # such as "Translate{instructions}: {source}\n"
    demonstration: Optional[str] = None  # how an example is shown; needs {source} and {target}
    separator: str = "\n\n"  # after each demonstration
    lead: str = " "  # before the first phrase, where there is one
    joiner: str = ", "  # between phrases
    languages: Mapping[str, str] = field(default_factory=dict)  # {source_language}; {}: in English
    phrases: Mapping[str, str] = field(default_factory=dict)  # instead of the inventory's first
    by_target: Mapping[str, "Template"] = field(default_factory=dict)  # language -> other entries

    @classmethod
    def load(cls, name_or_path) -> "Template":
        """Read a template of the library by its name, any file, or what `to_text` wrote.

        Raises:
            InputError: if it is missing, or not a template.
        """
        if str(name_or_path).startswith("{"):
            return cls.from_dict(parse_json(name_or_path, "--prompt-template"), "--prompt-template")
        path = LIBRARY / f"{name_or_path}.yaml"
        if str(name_or_path) not in library():
            path = Path(name_or_path)
        if not path.is_file():
            raise InputError(
                f"--prompt-template {name_or_path} does not exist; give a file, or one of "
                + ", ".join(library())
            )
        return cls.from_dict(read_yaml(path, "template"), f"template {path}")

    @classmethod
    def from_dict(cls, content, origin: str) -> "Template":
        """Check and take over a template file; an `InputError` names the entry that is wrong."""
        own, variants = content, {}
        if isinstance(content, dict):
            own = {key: value for key, value in content.items() if key != "by_target"}
            variants = content.get("by_target", {})
        template = _build(own, origin)
        if not isinstance(variants, dict):
            raise InputError(f"{origin}: by_target is not a map of target languages")
        by_target = {}
        for language, changes in variants.items():
            where = f"{origin}, by_target {language}"
            if not isinstance(changes, dict):
                raise InputError(f"{where}: expected the same entries as above")
            entries = {**own, **changes}
            for key in ("languages", "phrases"):
                if isinstance(entries.get(key), dict):
                    entries[key] = {**own.get(key, {}), **entries[key]}
            by_target[str(language)] = _build(entries, where)
        return replace(template, by_target=by_target)

    def to_text(self) -> str:
        """The template as `load` reads it, in one line."""
        content = {key: value for key, value in asdict(self).items() if value is not None}
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    def for_target(self, language: Optional[str]) -> "Template":
        """The template of a target language, itself where there is none."""
        return self.by_target.get(language or "", self)


def language_names(template: Template) -> Mapping[str, str]:
    """What a template calls source languages: as it says itself, or in English if it is silent."""
    return template.languages or {code: known.name for code, known in languages().items()}


def phrase_of(template: Template, instruction: Instruction) -> str:
    """The words of an instruction: the template's, or the inventory's first phrase."""
    own = (instruction.phrases or (instruction.name,))[0]
    return template.phrases.get(instruction.name, own)


def _language_name(template: Template, language: Optional[str]) -> str:
    names = language_names(template)
    code = language or ""
    name = names.get(code) or names.get(language_of(code))
    if name is None:
        raise InputError(
            f"the template has no name for the source language {language!r}; names: "
            f"{', '.join(names)}; add it to its 'languages'"
        )
    return name


def _build(content, origin: str) -> Template:
    template = build(Template, content, origin)
    for kind, required in REQUIRED.items():
        text = getattr(template, kind)
        if text is not None:
            _check_slots(text, required, f"{origin}: {kind}")
    return template


def _check_slots(text: str, required: Sequence[str], where: str) -> None:
    try:
        slots = [slot for _, slot, _, _ in string.Formatter().parse(text) if slot is not None]
    except ValueError as error:
        raise InputError(f"{where}: {error}; write {{{{ for a brace") from None
    for slot in required:
        if slots.count(slot) != 1:
            raise InputError(f"{where} has {slots.count(slot)} places for {{{slot}}}; it needs one")
    accepted = (*required, INSTRUCTIONS, SOURCE_LANGUAGE)
    for slot in slots:
        if slot not in accepted:
            names = ", ".join(f"{{{name}}}" for name in accepted)
            raise InputError(f"{where} has the place {{{slot}}}; accepted: {names}")


class TemplatePrompt:
    """Renders requests as words around the source; a `Prompt`.

    Args:
        inventory: of the instructions; its phrases are their words.
        encode: text -> dictionary ids, without eos.
        language: of sources whose language is not told.
        demonstrations: `(source language, target language) -> [(source, target)]` as text, to be
            shown before the source in this order; None for none.
        decode: dictionary ids -> text, to spell the prompt as one text with the source; None to
            spell the source apart.
    """

    on_decoder = False
    on_encoder = True

    def __init__(
        self,
        template: Template,
        inventory: Inventory,
        encode: Callable[[str], Sequence[int]],
        language: Optional[str] = None,
        demonstrations: Optional[Callable[[str, str], Sequence[Tuple[str, str]]]] = None,
        decode: Optional[Callable[[Sequence[int]], str]] = None,
    ):
        if demonstrations is not None and template.demonstration is None:
            raise InputError(
                "--shots: the template has no 'demonstration', which says how an example is shown"
            )
        self.template = template
        self.inventory = inventory
        self.encode = encode
        self.language = language
        self.demonstrations = demonstrations
        self.decode = decode
        self._cache: Dict[tuple, Rendering] = {}
        self._bound: Optional[Tuple[int, int]] = None

    def render(self, requests: Sequence[Request], language: Optional[str] = None) -> Rendering:
        """The prompt in words, its demonstrations included; see `Prompt.render`.

        Raises:
            InputError: if the template wants to name a language that it has no name for, or
                there are no demonstrations of the direction.
        """
        language = language or self.language
        key = (tuple(requests), language)
        if key not in self._cache:
            if len(self._cache) >= MAX_CACHED:  # arguments are without end
                self._cache.clear()
            self._cache[key] = self._render(requests, language)
        return self._cache[key]

    def n_source(self, n_instructions):
        """Most tokens that `n_instructions` (an int or an array of them) add to the source."""
        if self._bound is None:
            self._bound = self._measure()
        base, each = self._bound
        return base + each * n_instructions

    def n_target(self, n_instructions):
        return n_instructions * 0

    def _measure(self) -> Tuple[int, int]:
        """The longest prompt with one direction or none from any language, and longest phrase."""
        targets = self.inventory.target_languages
        directions = [(Request(self.inventory.position(direction(code))),) for code in targets]
        base = 0
        for asked, source in itertools.product(((), *directions), {self.language, *targets}):
            try:
                base = max(base, sum(map(len, self.render(asked, source)[:3])))
            except InputError:  # of a direction that is not asked for: no name, no demonstrations
                continue
        each = 0
        for template in (self.template, *self.template.by_target.values()):
            for instruction in self.inventory:
                phrase = template.joiner + template.lead + phrase_of(template, instruction)
                # quotation marks around an argument, whose tokens are counted apart
                each = max(each, len(self.encode(phrase + ': ""')) + 2)
        return base + (SEAMS if self.decode else 0), each

    # -- words ----------------------------------------------------------------------------

    def _render(self, requests: Sequence[Request], language: Optional[str]) -> Rendering:
        directions = (target_language(self.inventory[r.position].name) for r in requests)
        target = next(filter(None, directions), None)
        template = self.template.for_target(target)
        said = self._say(template, requests)
        pieces: List[Piece] = []
        for source, translation in self._examples(language, target):
            values = {SOURCE: [source], TARGET: [translation], INSTRUCTIONS: said}
            pieces += self._fill(template, template.demonstration or "", values, language)
            pieces.append(template.separator)
        values = {SOURCE: [_PLACE], INSTRUCTIONS: said}
        pieces += self._fill(template, template.prompt, values, language)
        place = next(i for i, piece in enumerate(pieces) if piece is _PLACE)
        before, behind = pieces[:place], pieces[place + 1 :]
        together = self._together(before, behind) if self.decode else None
        return Rendering(self._spell(before), self._spell(behind), together=together)

    def _examples(self, source: Optional[str], target: Optional[str]):
        if self.demonstrations is None:
            return ()
        if source is None or target is None:
            raise InputError(
                "--shots needs to know the direction of every line; give "
                "--direction-instruction always"
            )
        return self.demonstrations(source, target)

    def _say(self, template: Template, requests: Sequence[Request]) -> List[Piece]:
        said: List[Piece] = []
        for request in requests:
            said.append(template.joiner if said else template.lead)
            said.append(phrase_of(template, self.inventory[request.position]))
            if request.argument is not None:
                said += [': "', request.argument, '"']
        return said

    def _fill(
        self, template: Template, text: str, values: Mapping[str, List[Piece]],
        language: Optional[str],
    ) -> List[Piece]:  # fmt: skip
        pieces: List[Piece] = []
        for literal, slot, _, _ in string.Formatter().parse(text):
            pieces.append(literal)
            if slot == SOURCE_LANGUAGE:
                pieces.append(_language_name(template, language))
            elif slot is not None:
                pieces += values[slot]
        return pieces

    def _together(self, before: Sequence[Piece], behind: Sequence[Piece]):
        """`source -> prompt with the source, spelled as one text`; see `Rendering.together`."""
        decode = self.decode
        assert decode is not None
        start, stop = (
            "".join(piece if isinstance(piece, str) else decode(piece) for piece in pieces)
            for pieces in (before, behind)
        )

        def together(source: Tuple[int, ...]) -> Optional[Tuple[int, ...]]:
            text = decode(source)
            if tuple(self.encode(text)) != source:  # such as noised text, or unknown characters
                return None
            return tuple(self.encode(f"{start}{text}{stop}"))

        return together

    def _spell(self, pieces: Sequence[Piece]) -> Tuple[int, ...]:
        """Ids of texts, neighbours joined, and of what is spelled already."""
        ids: List[int] = []
        text = ""
        for piece in (*pieces, ()):
            if isinstance(piece, str):
                text += piece
                continue
            if text:
                ids += self.encode(text)
            ids += piece
            text = ""
        return tuple(ids)


class Demonstrations:
    """Sentence pairs drawn once for each direction, the same for the same seed.

    Args:
        prefix: aligned raw text, `prefix.en`, `prefix.de`...
        shots: pairs of each direction.

    Raises:
        InputError: if there are none of a direction, or not enough.
    """

    def __init__(self, prefix: str, shots: int, seed: int):
        if shots < 1:
            raise InputError(f"--shots {shots}: give a number above zero, or leave it out")
        self.prefix, self.shots, self.seed = prefix, shots, seed
        self._drawn: Dict[Tuple[str, str], List[Tuple[str, str]]] = {}

    def __call__(self, source: str, target: str) -> List[Tuple[str, str]]:
        """`[(source, target)]` of a direction."""
        if (source, target) not in self._drawn:
            sides = [read_lines(f"{self.prefix}.{language}") for language in (source, target)]
            if len(sides[0]) != len(sides[1]):
                raise InputError(
                    f"--demonstrations {self.prefix}: {source} has {len(sides[0])} lines and "
                    f"{target} {len(sides[1])}; they must be aligned"
                )
            pairs = [pair for pair in zip(*sides) if all(side.strip() for side in pair)]
            if len(pairs) < self.shots:
                raise InputError(
                    f"--shots {self.shots}: {self.prefix} has {len(pairs)} pairs of "
                    f"{source}-{target} only"
                )
            # by lines, not by language: directions show the same sentences
            chosen = np.random.RandomState(self.seed).permutation(len(pairs))[: self.shots]
            self._drawn[source, target] = [pairs[i] for i in chosen]
        return self._drawn[source, target]


def _variants(template: Template, inventory: Inventory) -> List[Template]:
    """A template, and those of the target languages that an inventory has."""
    own = (v for code, v in template.by_target.items() if direction(code) in inventory)
    return [template, *own]


def _check_distinct(template: Template, inventory: Inventory, origin: str) -> None:
    """Raise `InputError` if a template says two instructions alike; `origin` begins the error."""
    for variant in _variants(template, inventory):
        said: Dict[str, str] = {}
        for instruction in inventory:
            language = target_language(instruction.name)
            if language and template.for_target(language) is not variant:
                continue
            phrase = phrase_of(variant, instruction)
            other = said.setdefault(phrase, instruction.name)
            if other != instruction.name:
                raise InputError(
                    f"{origin}: {other!r} and {instruction.name!r} are both said as {phrase!r}; "
                    "give one of them other words in the template's 'phrases', or in the inventory"
                )


def _words(template: Template, inventory: Inventory) -> Iterator[str]:
    """The texts of a template that prompts of an inventory can hold."""
    for variant in _variants(template, inventory):
        yield variant.prompt
        yield variant.demonstration or ""
        yield from (phrase_of(variant, instruction) for instruction in inventory)


def subwords_path(cfg) -> Path:
    """What `--prompt-subwords` names, or the folder `tokenizer` of the data-bin."""
    return Path(cfg.prompt_subwords or Path(cfg.data.split(os.pathsep)[0], "tokenizer"))


def prompt_in_words(cfg, inventory: Inventory, dictionary):
    """The prompt that the options of a task ask for.

    Args:
        cfg: options of the task.
        dictionary: of the source.

    Returns:
        (prompt, subwords that its words are spelled in)

    Raises:
        InputError: if an option is wrong, the subwords are of another vocabulary than the
            dictionary, or it can't spell the template.
    """
    template = Template.load(cfg.prompt_template)
    path = subwords_path(cfg)
    if not path.exists():
        raise InputError(
            f"{path} does not exist; --prompt-template needs --prompt-subwords, a SentencePiece "
            "model or the folder of a tokenizer"
        )
    subwords = load_subwords(path, cfg.source_lang, cfg.target_lang).source
    if not cfg.allow_unknown:
        entries = dictionary.symbols[dictionary.nspecial :]
        option = f"--prompt-subwords {path}"
        check_vocabulary([subwords], entries, option, f"dict.{cfg.source_lang}.txt")

    def encode(text: str) -> List[int]:
        return dictionary.encode_line(
            subwords.encode(text), add_if_not_exist=False, append_eos=False
        ).tolist()

    decode = None
    if isinstance(subwords, HuggingFaceSubwords):
        spelled = subwords.text

        def decode(ids: Sequence[int]) -> str:
            return spelled([dictionary[i] for i in ids])

    _check_distinct(template, inventory, f"--prompt-template {cfg.prompt_template:.80}")
    for text in _words(template, inventory):
        if dictionary.unk() in encode(text):
            raise InputError(
                f"--prompt-template {cfg.prompt_template}: the dictionary has no tokens for some "
                f"characters of {text!r:.60}; use other words, or check that {path} goes with the "
                "dictionary"
            )
    if bool(cfg.shots) != bool(cfg.demonstrations):
        raise InputError("--shots and --demonstrations go together; give both or neither")
    demonstrations = None
    if cfg.shots:
        demonstrations = Demonstrations(cfg.demonstrations, cfg.shots, cfg.seed)
    language = cfg.source_lang
    return TemplatePrompt(template, inventory, encode, language, demonstrations, decode), subwords
