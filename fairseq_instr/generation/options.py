"""Options of decoding under several conditions; the task takes them over into its own."""

import math
from dataclasses import dataclass, fields
from typing import Optional, Tuple

from fairseq.dataclass import FairseqDataclass

from fairseq_instr.config_fields import with_help
from fairseq_instr.errors import InputError

PROBABILITY, LOG_PROBABILITY = "probability", "log-probability"
CONTRAST_SPACES = (PROBABILITY, LOG_PROBABILITY)


@dataclass
class GuidanceOptions(FairseqDataclass):
    """Weights of the conditions; with all at 0 there is nothing but the line's own."""

    guidance: float = with_help(
        0.0,
        "instruction guidance, g: search by (1 + g) log p(y | prompt, x) - g log p(y | direction "
        "alone, x). 0 = off; 0.5 to 1 to follow instructions more",
    )
    source_contrast: float = with_help(
        0.0,
        "source-contrastive decoding (Sennrich et al., 2024): subtract this weight times the "
        "probability given a random other source. 0 = off; 0.7 as published",
    )
    contrast_subset: str = with_help(
        "valid",
        "--source-contrast: split to draw the other sources from",
    )
    language_contrast: float = with_help(
        0.0,
        "language-contrastive decoding (Sennrich et al., 2024): subtract this weight times the "
        "probability under a wrong target language. 0 = off; 0.1 as published",
    )
    contrast_language: Optional[str] = with_help(
        None,
        "--language-contrast: the wrong languages, such as en,source, where source stands for "
        "that of -s. Default: en and source, if they have an instruction",
    )
    language_boost: float = with_help(
        0.0,
        "add this weight times log(share of the token in the target language's text / its mean "
        "share in all languages') to every token's log-probability, both of the training text: a "
        "cheap baseline against off-target output. 0 = off",
    )
    contrast_space: str = with_help(
        PROBABILITY,
        "what the contrasts subtract: " + " or ".join(CONTRAST_SPACES),
    )
    plausibility: float = with_help(
        0.1,
        "--guidance, and contrasts of log-probabilities: skip tokens less probable than this "
        "share of the most probable token. 0 = skip none",
    )

    @classmethod
    def of(cls, cfg) -> "GuidanceOptions":
        """Those among the options of a task.

        Raises:
            InputError: if a value is not accepted.
        """
        options = cls(**{f.name: getattr(cfg, f.name) for f in fields(cls) if f.name != "_name"})
        options.check()
        return options

    @property
    def active(self) -> bool:
        """Whether the search goes by anything but the line's own log-probabilities."""
        contrasts = self.source_contrast or self.language_contrast
        return bool(self.guidance or contrasts or self.language_boost)

    @property
    def contrast_languages(self) -> Tuple[str, ...]:
        """Codes in `contrast_language`, in order."""
        codes = (code.strip() for code in (self.contrast_language or "").split(","))
        return tuple(code for code in codes if code)

    def check(self) -> None:
        """Refuse what is not accepted.

        Raises:
            InputError: names the option and what it takes.
        """
        for name in ("guidance", "source_contrast", "language_contrast", "language_boost"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise InputError(
                    f"--{name.replace('_', '-')} {value} is not accepted; give 0 (off) or a "
                    "positive weight, such as 0.1"
                )
        if not 0 <= self.plausibility <= 1:
            raise InputError(
                f"--plausibility {self.plausibility} is not accepted; give a share of the most "
                "probable token's probability, 0 (no restriction) to 1"
            )
        if self.contrast_space not in CONTRAST_SPACES:
            raise InputError(
                f"--contrast-space {self.contrast_space!r} is not accepted; choose "
                + ", ".join(CONTRAST_SPACES)
            )
        if self.contrast_languages and not self.language_contrast:
            raise InputError(
                f"--contrast-language {self.contrast_language} does nothing without "
                "--language-contrast; give its weight, such as 0.1"
            )
