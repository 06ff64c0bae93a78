"""Translating under instructions with an exported model, without its checkpoint.

Needs CTranslate2, SentencePiece and numpy; neither torch nor fairseq.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from fairseq_instr.errors import InputError
from fairseq_instr.generation.lines import LineTranslator, Output, check_pair
from fairseq_instr.instructions.asking import Request
from fairseq_instr.instructions.composition import compose_requests
from fairseq_instr.instructions.inventory import INVENTORY_FILE, Inventory
from fairseq_instr.instructions.inventory import direction as direction_name
from fairseq_instr.instructions.phrasing import PhrasedInventory
from fairseq_instr.prompts import Prompt, appended_tokens_prompt
from fairseq_instr.prompts.language_tokens import SOURCE, LanguageTokens
from fairseq_instr.prompts.native import NativePrompt
from fairseq_instr.prompts.options import PHRASES
from fairseq_instr.serving.folder import MODEL_FILE, SUBWORDS_FILE, Settings, read_vocabulary
from fairseq_instr.text.dictionary import check_vocabulary
from fairseq_instr.text.subwords import Encoders, load_subwords

N_SPECIAL = 4  # entries that fairseq puts before a dictionary's own
BOS, _, EOS, UNK = range(N_SPECIAL)  # in every dictionary of fairseq


class _Line(NamedTuple):
    source: List[int]  # ids, the prompt and eos included
    prompt: Tuple[int, ...]  # ids that the decoder begins with

    def __len__(self) -> int:
        return len(self.source) + len(self.prompt)


def _from_source(settings: Settings, source: str) -> Settings:
    """Settings of a model that reads a source language, if it does."""
    tokens = LanguageTokens.of_list(settings.language_tokens)
    said = tokens is not None and tokens.encoder == SOURCE  # then the prompt refuses it
    accepted = dict.fromkeys((settings.source, *settings.sources))
    if source not in accepted and not said:
        raise InputError(
            f"source {source!r} is not accepted: the model translates from {', '.join(accepted)}"
        )
    return replace(settings, source=source)


class CTranslate2Translator(LineTranslator):
    """A CTranslate2 model that is loaded once; `from_pretrained` makes one.

    Several threads may share one: CTranslate2 queues what they ask for, and works on as many
    batches at once as it was given `workers`.

    Args:
        model: `ctranslate2.Translator`.
        source_vocabulary: tokens by id, the inventory's symbols last.
        subwords: as for `load_subwords`; None if lines are already in pieces.
        target: target language; None for the export's; the others as for `from_pretrained`.
    """

    unknown = UNK

    def __init__(
        self,
        model,
        settings: Settings,
        inventory: Inventory,
        source_vocabulary: Sequence[str],
        subwords=None,
        target: Optional[str] = None,
        beam: int = 4,
        lenpen: float = 1.0,
        max_len_a: float = 2.5,
        max_len_b: int = 30,
    ):
        self.model = model
        self.settings = settings
        self.inventory = inventory
        self.n_learned = len(inventory) if settings.learned is None else settings.learned
        self.native = settings.language_tokens is not None
        self.target = target or settings.target
        self._subwords = subwords
        self._encoders: Optional[Encoders] = None
        if subwords is not None:
            self._encoders = load_subwords(subwords, settings.source, self.target)
        self.beam, self.lenpen = beam, lenpen
        self.max_len = max_len_a, max_len_b
        self.max_source = settings.max_source
        self._tokens = list(source_vocabulary)
        first_symbol = len(self._tokens) - len(inventory.symbols)
        if self._encoders is not None:
            entries = self._tokens[N_SPECIAL:first_symbol]
            check_vocabulary(self._encoders, entries, str(subwords), "the model's")
        if tuple(self._tokens[first_symbol:]) != inventory.symbols:
            raise InputError(
                f"{INVENTORY_FILE} is not the inventory that the model was exported with: the "
                "source vocabulary ends in other symbols; export the model again"
            )
        words = self._tokens[:first_symbol]
        # no text has symbols or language tokens
        self._ids: Dict[str, int] = {token: i for i, token in enumerate(words)}
        self._prompt: Prompt = appended_tokens_prompt(
            inventory, first_symbol, settings.placement, self._spell
        )
        self._unsaid = {self._tokens[BOS], self._tokens[EOS]}
        tokens = LanguageTokens.of_list(settings.language_tokens)
        if tokens is not None:
            pair = settings.source, target or settings.target
            self._prompt = NativePrompt(self._prompt, tokens, inventory, words, EOS, *pair)
            for token in map(tokens.token, tokens.languages(words)):
                self._unsaid.add(token)
                del self._ids[token]
        self._direction = self._direction_request(target)
        check_pair(settings.source, self.target)

    @classmethod
    def from_pretrained(
        cls,
        folder,
        target: Optional[str] = None,
        beam: int = 4,
        lenpen: float = 1.0,
        max_len_a: float = 2.5,
        max_len_b: int = 30,
        device: str = "cpu",
        compute_type: str = "default",
        threads: int = 1,
        workers: int = 1,
        source: Optional[str] = None,
    ) -> CTranslate2Translator:
        """Load a folder that `fairseq-instr export` wrote.

        Args:
            folder: of the export.
            target: target language of a model with several; None for the export's.
            lenpen: length penalty, as `fairseq-generate --lenpen`.
            max_len_a: with `max_len_b`, longest output: `a * source + b` tokens of each line,
                whatever its prompt and the other lines of its batch are.
            device: `cpu`, `cuda` or `auto`.
            compute_type: number format to compute in, such as int8; `default` is the export's.
            threads: processor threads of a batch; 0 for CTranslate2's choice.
            workers: batches at once, for several threads that translate.
            source: source language, to make sure that the model translates from it.

        Raises:
            InputError: if the folder is no export, or the model has not these languages.

        Example: `CTranslate2Translator.from_pretrained("served").translate(["Hello."], "formal")`.
        """
        folder = Path(folder)
        if not (folder / MODEL_FILE).is_file():
            raise InputError(f"{folder} holds no {MODEL_FILE}; write it with fairseq-instr export")
        settings = Settings.load(folder)
        if source is not None:
            settings = _from_source(settings, source)
        kind = PhrasedInventory if settings.rendering == PHRASES else Inventory
        inventory = kind.load(folder / INVENTORY_FILE)
        vocabulary = read_vocabulary(folder, "source")
        subwords = folder / SUBWORDS_FILE
        try:
            import ctranslate2

            model = ctranslate2.Translator(
                str(folder), device=device, compute_type=compute_type, intra_threads=threads,
                inter_threads=workers,
            )  # fmt: skip
        except ImportError:
            raise InputError("CTranslate2 is not installed; run: pip install ctranslate2") from None
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{folder} can't be loaded by CTranslate2: {error}") from None
        return cls(
            model, settings, inventory, vocabulary, subwords if subwords.exists() else None, target,
            beam, lenpen, max_len_a, max_len_b,
        )  # fmt: skip

    def for_direction(self, source: str, target: str) -> CTranslate2Translator:
        """The same loaded model for another pair of languages; costs no memory.

        Raises:
            InputError: if the model has not these languages.
        """
        settings = _from_source(self.settings, source)
        translator = CTranslate2Translator(
            self.model, settings, self.inventory, self._tokens, self._subwords, target,
            self.beam, self.lenpen, *self.max_len,
        )  # fmt: skip
        translator.allow_unknown = self.allow_unknown
        return translator

    def _direction_request(self, target: Optional[str]) -> Optional[Request]:
        """What asks for the target language of every line, where prompts say it."""
        language = target or self.settings.target
        if not self.settings.direction:
            if language != self.settings.target and self.settings.language_tokens is None:
                raise InputError(
                    f"target {target!r} is not accepted: the model translates into "
                    f"{self.settings.target} alone"
                )
            return None
        name = direction_name(language)
        if name not in self.inventory:
            raise InputError(
                f"target {language!r} has no instruction {name!r} in the inventory; languages "
                f"there: {', '.join(self.inventory.target_languages)}"
            )
        request = Request(self.inventory.position(name))
        self._check_learned(request, f"target {language!r}")
        return request

    def _encode(self, line: str) -> List[int]:
        pieces = self._encoders.source.encode(line) if self._encoders else line
        return [self._ids.get(piece, UNK) for piece in pieces.split()]

    def _spell(self, argument: str) -> List[int]:
        ids = self._encode(argument)
        if UNK in ids:
            raise InputError(
                f"the argument {argument!r} can't be spelled with the source's vocabulary"
            )
        return ids

    def _render(self, tokens: List[int], requests: Tuple[Request, ...]) -> _Line:
        if self._direction is not None:
            requests = compose_requests((self._direction, *requests), self.inventory, "--instruct")
        found = self._prompt.render(requests)
        end = (EOS,) if found.end is None else found.end
        return _Line([*found.before, *tokens, *found.behind, *end], found.decoder)

    def _decode(self, sources: Sequence[_Line], longest: int) -> List[List[Output]]:
        outputs: List[List[Output]] = [[] for _ in sources]
        groups: Dict[int, List[int]] = {}  # rows, by the length of their prompt for the decoder
        for row, line in enumerate(sources):
            groups.setdefault(len(line.prompt), []).append(row)
        for n_prompt, rows in groups.items():
            lines = [sources[row] for row in rows]
            found = self.model.translate_batch(
                [[self._tokens[i] for i in line.source] for line in lines],
                [[self._tokens[i] for i in line.prompt] for line in lines] if n_prompt else None,
                beam_size=self.beam,
                num_hypotheses=self.beam,
                length_penalty=self.lenpen,
                max_input_length=0,
                min_decoding_length=n_prompt + 1,
                max_decoding_length=min(n_prompt + longest, self.settings.max_target - 1),
                return_scores=True,
                return_end_token=True,  # then it counts in the length penalty, as in fairseq
            )
            for row, result in zip(rows, found):
                outputs[row] = [
                    self._output(tokens, score, n_prompt)
                    for tokens, score in zip(result.hypotheses, result.scores)
                ]
                outputs[row].sort(key=lambda output: -output.score)
        return outputs

    def _output(self, tokens: Sequence[str], score: float, n_prompt: int) -> Output:
        """A hypothesis without the decoder's prompt, which CTranslate2 counts as output."""
        if n_prompt and len(tokens) > n_prompt:
            score *= (len(tokens) / (len(tokens) - n_prompt)) ** self.lenpen
        return Output(tokens[n_prompt:], score)

    def _text(self, tokens: Sequence[str]) -> str:
        text = " ".join(token for token in tokens if token not in self._unsaid)
        return self._encoders.target.decode(text) if self._encoders else text
