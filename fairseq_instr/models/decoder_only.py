"""A LLaMA-style model as an encoder-decoder: its encoder is the prefill of the prompt.

    src_tokens          p1 ... pk </s>      the prompt, with the source in it
    encoder             <s> p1 ... p(k-1)   their keys and values are the encoder's output
    prev_output_tokens  </s> y1 ... yn      fairseq's, for teacher forcing
    decoder             pk y1 ... yn        at the positions behind its prompt

The logits are those of a causal language model on `<s> p1 ... pk y1 ... yn`; the loss falls on the
target alone. Beam search keeps a prompt once for all hypotheses of its sentence. Where the whole
target is given, as in training, prompt and target go through the layers as one text.
"""

import math
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union, cast

import torch
import torch.nn as nn
from fairseq.models import (
    FairseqEncoder,
    FairseqEncoderDecoderModel,
    FairseqIncrementalDecoder,
    register_model,
    register_model_architecture,
)
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from fairseq_instr.errors import InputError
from fairseq_instr.models.decoder_only_config import (
    ALL_BIASES,
    DEFAULTS,
    NO_BIAS,
    DecoderOnlyConfig,
    check_sizes,
    complete_options,
)
from fairseq_instr.models.layers import (
    Attention,
    DecoderLayer,
    FeedForward,
    RMSNorm,
    attend_behind,
    attend_causally,
    attend_one_step,
    attend_where,
)
from fairseq_instr.models.low_rank import add_adapters, check_adapters
from fairseq_instr.models.output_projection import BaseVocabularyProjection
from fairseq_instr.models.rotary import FrequencyScaling, frequencies, rotation

INITIAL_DEVIATION = 0.02
CACHE_STEPS = 32
"""Target tokens that the cache of beam search grows by."""


class Prompt(NamedTuple):
    """What the decoder needs of the prompts: keys and values of all tokens but the last.

    The decoder's rows are `beam` hypotheses of the first sentence, then those of the second...
    """

    keys: List[Tensor]
    """For each layer `(B, K, S, d)`; the prompts stand at the left."""
    values: List[Tensor]
    """As the keys."""
    lengths: Tensor
    """LongTensor `(B,)`: tokens of each prompt but the last."""
    mask: Optional[Tensor]
    """Bool `(B, 1, 1, S)`, True on real tokens; None where all are."""
    last_tokens: Tensor
    """LongTensor `(B,)`: the decoder's first input."""
    beam: int = 1

    @property
    def width(self) -> int:
        """S, an upper bound of the lengths that needs no look at a tensor."""
        return self.keys[0].size(2)

    def select(self, sentences: Tensor, beam: int) -> "Prompt":
        """The prompts of some sentences, with `beam` rows each."""
        return Prompt(
            keys=[keys.index_select(0, sentences) for keys in self.keys],
            values=[values.index_select(0, sentences) for values in self.values],
            lengths=self.lengths.index_select(0, sentences),
            mask=None if self.mask is None else self.mask.index_select(0, sentences),
            last_tokens=self.last_tokens.index_select(0, sentences),
            beam=beam,
        )

    def reorder(self, new_order: Tensor) -> "Prompt":
        """The prompts of the rows `new_order`; a tensor is copied only where sentences change."""
        sentences = new_order.div(self.beam, rounding_mode="floor")
        kept, counts = sentences.unique_consecutive(return_counts=True)
        counts = counts.tolist()
        if len(set(counts)) != 1:
            return self.select(sentences, beam=1)
        if len(kept) == len(self.lengths) and torch.equal(
            kept, torch.arange(len(kept), device=kept.device)
        ):
            return self._replace(beam=counts[0])
        return self.select(kept, beam=counts[0])

    def expand(self) -> "Prompt":
        """One sentence a row."""
        if self.beam == 1:
            return self
        sentences = torch.arange(len(self.lengths), device=self.lengths.device)
        return self.select(sentences.repeat_interleave(self.beam), beam=1)


class UnreadPrompt(NamedTuple):
    """Prompts that the decoder reads together with their targets."""

    tokens: Tensor
    """LongTensor `(B, S)`, as the model reads them, padded on the right."""
    lengths: Tensor
    """LongTensor `(B,)`: tokens of each prompt."""


class PromptEncoder(FairseqEncoder):
    """Prefills prompts with the decoder's layers; it has no parameters of its own."""

    def __init__(self, decoder: "DecoderOnlyDecoder", prompt_bos: bool):
        super().__init__(decoder.dictionary)
        self._decoder = [decoder]  # in a list: the parameters are the decoder's
        self.prompt_bos = prompt_bos

    def forward(
        self, src_tokens: Tensor, src_lengths: Optional[Tensor] = None, prefill: bool = True
    ) -> Union[Prompt, UnreadPrompt]:
        """Prefill prompts, or leave that to a decoder that is given whole targets.

        Args:
            src_tokens: LongTensor `(B, S)`, each prompt ending in eos, padded on either side.
            src_lengths: unused, the padding says it.
            prefill: False to leave it.

        Raises:
            InputError: if a prompt is longer than the model's positions.
        """
        unread = UnreadPrompt(*self._as_read(src_tokens))
        self._decoder[0].check_positions(unread.tokens.size(1))
        return self._prefilled(unread) if prefill else unread

    def _prefilled(self, unread: UnreadPrompt) -> Prompt:
        tokens, lengths = unread
        last_tokens = tokens.gather(1, lengths[:, None] - 1).squeeze(1)
        tokens, lengths = tokens[:, :-1], lengths - 1
        places = torch.arange(tokens.size(1), device=tokens.device)
        keys, values = self._decoder[0].prefill(tokens, places)
        read = places < lengths[:, None]
        all_read = not self.training and not read.is_meta and bool(read.all())
        mask = None if all_read else read[:, None, None, :]
        return Prompt(keys, values, lengths, mask, last_tokens)

    def _as_read(self, src_tokens: Tensor):
        """The tokens that the model reads, at the left, and their numbers."""
        padding = src_tokens.eq(self.dictionary.pad())
        order = padding.to(torch.uint8).argsort(dim=1, stable=True)
        tokens = src_tokens.gather(1, order)
        n_tokens = src_tokens.size(1) - padding.sum(1)
        if self.prompt_bos:  # eos is rolled to the front and becomes bos
            bos = torch.full_like(tokens[:, :1], self.dictionary.bos())
            return torch.cat((bos, tokens[:, :-1]), dim=1), n_tokens
        # an empty prompt begins with the eos that nothing stands before
        return tokens[:, : max(tokens.size(1) - 1, 1)], (n_tokens - 1).clamp(min=1)

    def reorder_encoder_out(
        self, encoder_out: Union[Prompt, UnreadPrompt], new_order: Tensor
    ) -> Prompt:
        """The prompts of the rows `new_order`; rows of one sentence share what is read once."""
        if isinstance(encoder_out, UnreadPrompt):
            encoder_out = self._prefilled(encoder_out)
        return encoder_out.reorder(new_order)

    def max_positions(self) -> int:
        """Longest prompt in tokens, if it is to have a translation: of one token and eos."""
        return self._decoder[0].max_positions() - 1


class _Hypotheses:
    """Keys and values of the target tokens that beam search has so far, of all layers.

    One tensor, `(layers, 2, rows, K, capacity, d)`, so that reordering rows is one operation.
    """

    def __init__(self) -> None:
        self.cache: Optional[Tensor] = None
        self.length = 0

    def append(self, layer: int, n_layers: int, keys: Tensor, values: Tensor):
        """Add the newest token's and return those of all tokens: two `(rows, K, T, d)`."""
        cache = self.cache
        if cache is None or self.length == cache.size(4):
            cache = self.cache = self._grown(n_layers, keys)
        place = slice(self.length, self.length + 1)
        cache[layer, 0, :, :, place] = keys
        cache[layer, 1, :, :, place] = values
        return cache[layer, :, :, :, : place.stop]

    def _grown(self, n_layers: int, keys: Tensor) -> Tensor:
        rows, heads, _, head_dim = keys.shape
        shape = (n_layers, 2, rows, heads, self.length + CACHE_STEPS, head_dim)
        grown = keys.new_empty(shape)
        if self.cache is not None:
            grown[..., : self.length, :] = self.cache
        return grown

    def reorder(self, new_order: Tensor) -> None:
        if self.cache is None:
            return
        rows = torch.arange(self.cache.size(2), device=new_order.device)
        if not torch.equal(rows, new_order):
            self.cache = self.cache.index_select(2, new_order)


class DecoderOnlyDecoder(FairseqIncrementalDecoder):
    """All of the model: embeddings, layers, output projection.

    Args:
        cfg (DecoderOnlyConfig): completed options, none of them None.
        dictionary: of the target.
        n_embeddings: rows of the embeddings, those of symbols for the prompt alone included.
    """

    def __init__(self, cfg: Any, dictionary, n_embeddings: int):
        super().__init__(dictionary)
        dim, n_heads = cfg.decoder_embed_dim, cfg.decoder_attention_heads
        head_dim = cfg.decoder_head_dim or dim // n_heads
        self.embed_tokens = nn.Embedding(n_embeddings, dim)
        n_shared, bias = cfg.decoder_key_value_heads or n_heads, str(cfg.attention_bias)
        layers = [
            DecoderLayer(
                Attention(dim, n_heads, n_shared, head_dim, bias != NO_BIAS, bias == ALL_BIASES),
                FeedForward(dim, cfg.decoder_ffn_embed_dim, cfg.ffn_bias),
                dim,
                cfg.norm_epsilon,
                cfg.dropout,
            )
            for _ in range(cfg.decoder_layers)
        ]
        self.layers = nn.ModuleList(layers)
        self.norm = RMSNorm(dim, cfg.norm_epsilon)
        self.output_projection: nn.Linear
        if cfg.share_decoder_input_output_embed:
            self.output_projection = BaseVocabularyProjection(
                self.embed_tokens.weight, len(dictionary)
            )
        else:
            self.output_projection = nn.Linear(dim, len(dictionary), bias=False)
        self.dropout = nn.Dropout(cfg.dropout)
        self.checkpoint_activations = cfg.checkpoint_activations
        self._max_positions = cfg.max_positions
        scaling = None
        if cfg.rope_scaling_factor:
            scaling = FrequencyScaling(
                cfg.rope_scaling_factor,
                cfg.rope_low_factor,
                cfg.rope_high_factor,
                cfg.rope_original_positions,
            )
        # no buffer: it stays fp32
        self._frequency = {torch.device("cpu"): frequencies(head_dim, cfg.rope_theta, scaling)}
        self.apply(_initialise)
        for layer in layers:  # what a layer adds, scaled as in GPT-2 (Radford et al., 2019)
            for out in (layer.self_attn.o_proj, layer.mlp.down_proj):
                deviation = INITIAL_DEVIATION / math.sqrt(2 * cfg.decoder_layers)
                nn.init.normal_(out.weight, std=deviation)

    def prefill(self, tokens: Tensor, places: Tensor):
        """Keys and values of prompts: two lists of `(B, K, S, d)`, one for each layer.

        `tokens` are `(B, S)`, padded on the right, `places` `(S,)`. What is computed on padding is
        garbage: nobody looks at it.
        """
        x = self.dropout(self.embed_tokens(tokens))
        turned_by = self._rotation(places[None], x)
        all_keys, all_values = [], []
        for layer in self.layers[:-1]:
            x, keys, values = self._run(layer, x, turned_by, attend_causally)
            all_keys.append(keys)
            all_values.append(values)
        keys, values = cast(DecoderLayer, self.layers[-1]).keys_values(x, turned_by)
        return [*all_keys, keys], [*all_values, values]

    def forward(
        self,
        prev_output_tokens: Tensor,
        encoder_out: Union[Prompt, UnreadPrompt],
        incremental_state: Optional[dict] = None,
        features_only: bool = False,
    ):
        """Logits of the next tokens.

        Args:
            prev_output_tokens: LongTensor `(rows, T)`, beginning with eos, padded on the right.
            encoder_out: of the encoder.
            incremental_state: of beam search; only the newest token is computed. At the model's
                last position a hypothesis ends: eos alone is not -inf.
            features_only: leave the output projection out.

        Returns:
            tuple: `(rows, T, vocabulary)`, or `(rows, T, dim)`; a dict that says that there is
            no attention to show.

        Raises:
            InputError: if prompt and target are longer than the model's positions.
        """
        features, extra = self.extract_features(prev_output_tokens, encoder_out, incremental_state)
        if features_only:
            return features, extra
        logits = self.output_layer(features)
        if incremental_state is not None:
            logits = self._end_at_last_position(
                logits, cast(Prompt, encoder_out), prev_output_tokens.size(1)
            )
        return logits, extra

    def extract_features(
        self,
        prev_output_tokens: Tensor,
        encoder_out: Union[Prompt, UnreadPrompt],
        incremental_state: Optional[dict] = None,
    ):
        """As `forward`, without the output projection."""
        if isinstance(encoder_out, UnreadPrompt):
            return self.norm(self._as_one_text(prev_output_tokens, encoder_out)), {"attn": None}
        if incremental_state is None:
            self.check_positions(encoder_out.width + prev_output_tokens.size(1))
            features = self._teacher_forced(prev_output_tokens, encoder_out.expand())
        else:
            features = self._one_step(prev_output_tokens, encoder_out, incremental_state)
        return self.norm(features), {"attn": None}

    def output_layer(self, features: Tensor) -> Tensor:
        """`(..., dim)` -> `(..., vocabulary)`."""
        return self.output_projection(features)

    def _as_one_text(self, prev_output_tokens: Tensor, prompt: UnreadPrompt) -> Tensor:
        """Features of the target where each row is read as `prompt target padding`."""
        n_prompt, n_target = prompt.tokens.size(1), prev_output_tokens.size(1)
        n_read = n_prompt + n_target - 1  # the target's last token is not read
        if n_read > self._max_positions:  # the longest prompt may have a short target
            n_targets = prev_output_tokens.ne(self.dictionary.pad()).sum(1)
            self.check_positions(int((prompt.lengths + n_targets).max()) - 1)
        places = torch.arange(n_read, device=prompt.tokens.device)
        behind = places - prompt.lengths[:, None]
        index = torch.where(behind < 0, places, (n_prompt + behind).clamp(max=n_read - 1))
        tokens = torch.cat((prompt.tokens, prev_output_tokens[:, 1:]), dim=1).gather(1, index)
        # what predicts the target: the last token of the prompt, then the target's own
        kept = prompt.lengths[:, None] - 1 + places[:n_target]

        x = self.dropout(self.embed_tokens(tokens))
        turned_by = self._rotation(places[None], x)
        for layer in self.layers[:-1]:
            x, _, _ = self._run(layer, x, turned_by, attend_causally)
        seen = (places <= kept[..., None])[:, None]
        return self._run(self.layers[-1], x, turned_by, attend_where(seen), kept)[0]

    def _teacher_forced(self, prev_output_tokens: Tensor, prompt: Prompt) -> Tensor:
        tokens = torch.cat((prompt.last_tokens[:, None], prev_output_tokens[:, 1:]), dim=1)
        batch, n_target = tokens.shape
        places = torch.arange(n_target, device=tokens.device)
        x = self.dropout(self.embed_tokens(tokens))
        turned_by = self._rotation(prompt.lengths[:, None] + places, x)
        on_prompt = prompt.mask
        if on_prompt is None:
            on_prompt = places.new_ones((1, 1, 1, prompt.width), dtype=torch.bool)
        on_target = places <= places[:, None]
        shape = batch, 1, n_target, -1
        mask = torch.cat((on_prompt.expand(shape), on_target.expand(shape)), dim=3)
        for layer, keys, values in zip(self.layers, prompt.keys, prompt.values):
            x, _, _ = self._run(layer, x, turned_by, attend_behind(keys, values, mask))
        return x

    def _one_step(
        self, prev_output_tokens: Tensor, prompt: Prompt, incremental_state: dict
    ) -> Tensor:
        hypotheses = self.get_incremental_state(incremental_state, "hypotheses")
        if hypotheses is None:
            hypotheses = _Hypotheses()
            self.set_incremental_state(incremental_state, "hypotheses", hypotheses)
        if hypotheses.length == 0:
            newest = prompt.last_tokens.repeat_interleave(prompt.beam)
        else:
            newest = prev_output_tokens[:, -1]
        places = (prompt.lengths + hypotheses.length).repeat_interleave(prompt.beam)
        x = self.embed_tokens(newest[:, None])
        turned_by = self._rotation(places[:, None], x)
        for number, layer in enumerate(self.layers):

            def attend(queries, keys, values, number=number):
                keys, values = hypotheses.append(number, len(self.layers), keys, values)
                return attend_one_step(
                    queries, keys, values, prompt.keys[number], prompt.values[number], prompt.mask
                )

            x, _, _ = layer(x, turned_by, attend)
        hypotheses.length += 1
        return x

    def _end_at_last_position(self, logits: Tensor, prompt: Prompt, n_target: int) -> Tensor:
        """Allow eos alone where a row has read as many tokens as the model has positions for."""
        if prompt.width + n_target < self._max_positions:  # without a look at a tensor
            return logits
        n_read = prompt.lengths + n_target
        self.check_positions(int(n_read.max()))
        last = n_read.eq(self._max_positions).repeat_interleave(prompt.beam)
        others = torch.arange(logits.size(-1), device=logits.device).ne(self.dictionary.eos())
        return logits.masked_fill(last[:, None, None] & others, -math.inf)

    def reorder_incremental_state(self, incremental_state: dict, new_order: Tensor) -> None:
        """Move the hypotheses to the rows `new_order`."""
        hypotheses = self.get_incremental_state(incremental_state, "hypotheses")
        if hypotheses is not None:
            hypotheses.reorder(new_order)

    def _run(self, layer: nn.Module, *inputs):
        if self.checkpoint_activations and torch.is_grad_enabled():
            return checkpoint(layer, *inputs, use_reentrant=False)
        return layer(*inputs)

    def _rotation(self, positions: Tensor, x: Tensor):
        if x.device not in self._frequency:
            self._frequency[x.device] = self._frequency[torch.device("cpu")].to(x.device)
        return rotation(positions, self._frequency[x.device], x.dtype)

    def check_positions(self, n_positions: int) -> None:
        """Refuse more tokens than the model has positions for.

        Raises:
            InputError: says how many there are.
        """
        if n_positions > self._max_positions:
            raise InputError(
                f"prompt and target have {n_positions} tokens, the model has positions for "
                f"{self._max_positions} (--max-positions): shorten the texts, or lower "
                "--max-source-positions or --max-target-positions"
            )

    def max_positions(self) -> int:
        """Longest prompt and target together, in tokens."""
        return self._max_positions


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=INITIAL_DEVIATION)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


@register_model("decoder_only", dataclass=DecoderOnlyConfig)
class DecoderOnlyModel(FairseqEncoderDecoderModel):
    """A model of the LLaMA family behind fairseq's encoder-decoder interface."""

    @classmethod
    def build_model(cls, cfg, task):
        """Build from options.

        Raises:
            InputError: if the dictionaries differ, or sizes don't go together.
        """
        given = vars(DecoderOnlyConfig.from_namespace(cfg))
        cfg = DecoderOnlyConfig(**complete_options(given))
        source, target = task.source_dictionary, task.target_dictionary
        if source != target:
            raise InputError(
                "a decoder-only model needs one joined dictionary, dict.* of source and target "
                "differ; give fairseq-preprocess the same --srcdict for both"
            )
        if getattr(getattr(task, "cfg", None), "left_pad_target", False):
            raise InputError(
                "--left-pad-target is not supported by a decoder-only model, whose targets follow "
                "their prompts; leave it out"
            )
        check_sizes(cfg)
        check_adapters(cfg, len(source) - len(target))
        decoder = DecoderOnlyDecoder(cfg, target, len(source))
        if cfg.lora_rank:
            add_adapters(decoder, cfg.lora_rank, cfg.lora_alpha, cfg.lora_targets)
        return cls(PromptEncoder(decoder, cfg.prompt_bos), decoder)

    @property
    def longest_together(self) -> int:
        """Longest source and target together, in tokens, of which one eos is not read."""
        return self.max_decoder_positions() + 1

    def forward(self, src_tokens, src_lengths, prev_output_tokens, **kwargs):
        """Logits of the target, as an encoder-decoder's; see `DecoderOnlyDecoder.forward`."""
        prompt = self.encoder(src_tokens, src_lengths, prefill=False)
        return self.decoder(prev_output_tokens, encoder_out=prompt, **kwargs)


_LLAMA_2 = {"norm_epsilon": 1e-5, "max_positions": 4096}
_LLAMA_3 = {"norm_epsilon": 1e-5, "rope_theta": 500000.0}
# width, of the feed-forward layers too, layers, heads, heads of keys and values; further options
_ARCHITECTURES: Dict[str, Tuple[Tuple[int, ...], Dict[str, Any]]] = {
    "decoder_only_tiny": ((64, 176, 2, 4, 2), {"max_positions": 1024}),
    "llama2_7b": ((4096, 11008, 32, 32), _LLAMA_2),
    "llama2_13b": ((5120, 13824, 40, 40), _LLAMA_2),
    "llama3_8b": ((4096, 14336, 32, 32, 8), {**_LLAMA_3, "max_positions": 8192}),
    "llama3_1_8b": (
        (4096, 14336, 32, 32, 8),
        {**_LLAMA_3, "max_positions": 131072, "rope_scaling_factor": 8.0},
    ),
}


def _register(name: str, sizes: Tuple[int, ...], others: Dict[str, Any]) -> None:
    """Register an architecture: the base one with other sizes."""

    def set_defaults(args) -> None:
        for option, value in {**dict(zip(DEFAULTS, sizes)), **others}.items():
            setattr(args, option, getattr(args, option, value))

    register_model_architecture("decoder_only", name)(set_defaults)


for _name, _description in _ARCHITECTURES.items():
    _register(_name, *_description)
