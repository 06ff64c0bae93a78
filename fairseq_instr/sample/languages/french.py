"""French: elision, adjectives before and behind the noun, questions with est-ce que.

The space before ? and ! is a plain one: subword normalisation turns a no-break space
into it, and output and reference would differ.
"""

from __future__ import annotations

import re

from fairseq_instr.sample.languages.grammar import Grammar, join

_VOWEL = "(?=[aâàeéèêiîoôœuûhAEIO])"  # no h of the lexicon is aspirated where this applies
_SOUND_RULES = [
    (re.compile(rf"\b(l|d|qu|j)(?:e|a) {_VOWEL}", re.IGNORECASE), r"\1'"),  # l'œuf, qu'Anna
    (re.compile(rf"\b(m|t)a {_VOWEL}"), r"\1on "),  # mon orange
    (re.compile(rf"\bnouveau {_VOWEL}"), "nouvel "),
]
# masculine, feminine, plural
DETERMINERS = {
    "a": ("un", "une", "des"),
    "the": ("le", "la", "les"),
    "my": ("mon", "ma", "mes"),
    "your": ("ton", "ta", "tes"),
    "how many": ("combien de",) * 3,
}
FORMAL_YOUR = ("votre", "votre", "vos")


class French(Grammar):
    """For one: "Est-ce qu'Anna achète deux pommes rouges au marché ?"."""

    language, preposition = "fr", "pour"
    question_words = {"yes-no": "", "why": "pourquoi", "where": "où", "when": "quand"}
    pronouns = ("il", "elle", "ils")
    polite_person = "2p"

    def noun_phrase(self) -> str:
        """Not elided yet: "la orange", "ma orange"."""
        content, noun = self.content, self.noun
        determiner = self.number()
        if not determiner:
            choices = DETERMINERS[content.determiner]
            if content.determiner == "your" and self.formal:
                choices = FORMAL_YOUR
            determiner = choices[2 if content.plural else noun["gender"] == "f"]
        adjective = self.adjective.get(noun["gender"] + "p" * content.plural)
        words = [adjective, noun[self.noun_number]]
        if self.adjective.get("position") == "after":
            words.reverse()
        return join(determiner, *words)

    def clause(self) -> str:
        form, predicate = self.content.form, self.verb[self.person]
        if self.modal:
            predicate = join(self.modal[self.person], self.verb["infinitive"])
        what, adjuncts = self.noun_phrase(), join(self.whom, self.where, self.when)
        if form == "statement":
            first = self.first and self.first + ","
            return join(first, self.subject, predicate, what, adjuncts)
        if form == "request":
            asked = self.verb["2p" if self.formal else "imperative"]
            return join(asked, what, adjuncts) + f", s'il {'vous' if self.formal else 'te'} plaît"
        if form == "who":
            return join("qui", predicate, what, adjuncts)
        if form == "how many":
            return join(what, "est-ce que", self.subject, predicate, adjuncts)
        asking = join(self.question_words[form], "est-ce que")
        return join(asking, self.subject, predicate, what, adjuncts)

    def say(self) -> str:
        text = super().say().replace("?", " ?")
        for pattern, replacement in _SOUND_RULES:
            text = pattern.sub(replacement, text)
        return text
