"""Italian: articles by the sound that follows, pronouns left unsaid except the polite Lei."""

from __future__ import annotations

import re

from fairseq_instr.sample.languages.grammar import Grammar, join

_VOWEL = re.compile("[aeiou]")
_IMPURE_S = re.compile("s[^aeiou]|z|gn|ps")  # lo specchio, uno specchio, gli specchi
POSSESSIVES = {
    "mi": {"m": "mio", "f": "mia", "mp": "miei", "fp": "mie"},
    "tu": {"m": "tuo", "f": "tua", "mp": "tuoi", "fp": "tue"},
    "Su": {"m": "Suo", "f": "Sua", "mp": "Suoi", "fp": "Sue"},
}


def article(definite: bool, agreement: str, following: str) -> str:
    """The article with its space, or its apostrophe: "un'", "lo ", "gli ".

    Args:
        definite: il, lo, la ... or un, uno, una.
        agreement: m, f, mp or fp.
        following: the word behind the article, whose first sound decides.
    """
    vowel, impure = bool(_VOWEL.match(following)), bool(_IMPURE_S.match(following))
    if definite:
        found = {
            "m": "l'" if vowel else "lo " if impure else "il ",
            "f": "l'" if vowel else "la ",
            "mp": "gli " if vowel or impure else "i ",
            "fp": "le ",
        }
    else:
        found = {"m": "uno " if impure else "un ", "f": "un'" if vowel else "una "}
    return found[agreement]


class Italian(Grammar):
    """For one: "Quante mele rosse compra Anna al mercato?"."""

    language, preposition = "it", "per"
    question_words = {"who": "chi", "why": "perché", "where": "dove", "when": "quando"}
    polite_person = "3s"

    def noun_phrase(self) -> str:
        content, noun = self.content, self.noun
        gender = noun["gender"]
        if gender == "n":
            gender = "f" if content.plural else "m"  # un uovo, due uova
        agreement = gender + "p" * content.plural
        said = join(noun[self.noun_number], self.adjective.get(agreement))
        if content.number:
            return join(self.number(), said)
        if content.determiner == "how many":
            return join("quanti" if agreement == "mp" else "quante", said)
        if content.determiner in ("my", "your"):
            whose = "mi" if content.determiner == "my" else "Su" if self.formal else "tu"
            said = join(POSSESSIVES[whose][agreement], said)
        return article(content.determiner != "a", agreement, said) + said

    def clause(self) -> str:
        form, predicate = self.content.form, self.verb[self.person]
        if self.modal:
            predicate = join(self.modal[self.person], self.verb["infinitive"])
        what, adjuncts = self.noun_phrase(), join(self.whom, self.where, self.when)
        if form == "request":
            asked = self.verb["polite" if self.formal else "imperative"]
            return join("per favore,", asked, what, adjuncts)
        if form == "how many":
            # The subject follows; the polite pronoun is then left unsaid as the others are.
            follows = "" if self.content.subject == "you" else self.subject
            return join(what, predicate, follows, adjuncts)
        asking = self.question_words.get(form)
        if form in ("who", "where", "when"):
            return join(asking, predicate, what, adjuncts)
        # statements, yes-no and why: the subject, if said, before the verb
        return join(self.first, asking, self.subject, predicate, what, adjuncts)
