"""Romanian: the definite article is an ending, "two" has a gender, modals take "să"."""

from __future__ import annotations

from fairseq_instr.sample.languages.grammar import Grammar, join

POSSESSIVES = {
    "my": {"m": "meu", "f": "mea", "mp": "mei", "fp": "mele"},
    "your": {"m": "tău", "f": "ta", "mp": "tăi", "fp": "tale"},
}


class Romanian(Grammar):
    """For one: "Anna vrea să cumpere două mere roșii la piață."."""

    language, preposition = "ro", "pentru"
    question_words = {"who": "cine", "why": "de ce", "where": "unde", "when": "când"}
    polite_person = "2p"

    def noun_phrase(self) -> str:
        content, noun = self.content, self.noun
        gender = noun["gender"]
        if gender == "n":
            gender = "f" if content.plural else "m"  # un măr, două mere
        agreement = gender + "p" * content.plural
        adjective = self.adjective.get(agreement)
        if content.is_definite:
            possessive = POSSESSIVES.get(content.determiner, {}).get(agreement)
            if content.determiner == "your" and self.formal:
                possessive = "dumneavoastră"
            definite = noun["definite_plural" if content.plural else "definite"]
            return join(definite, possessive, adjective)
        if content.determiner == "a":
            determiner = "un" if gender == "m" else "o"
        elif content.number:
            determiner = self.number(gender == "f")
        else:
            determiner = "câți" if gender == "m" else "câte"
        return join(determiner, noun[self.noun_number], adjective)

    def clause(self) -> str:
        form, finite, dependent = self.content.form, self.verb[self.person], ""
        if self.modal:
            # The subjunctive differs from the present only in the third person.
            third = self.person in ("3s", "3p")
            finite = self.modal[self.person]
            dependent = join("să", self.verb["subjunctive" if third else self.person])
        what, adjuncts = self.noun_phrase(), join(self.whom, self.where, self.when)
        if form == "request":
            polite = join("vă rog,", self.verb["2p"])
            asked = polite if self.formal else join("te rog,", self.verb["imperative"])
            return join(asked, what, adjuncts)
        if form in ("statement", "yes-no"):
            return join(self.first, self.subject, finite, dependent, what, adjuncts)
        # Behind a question word the verb comes first; pronouns, polite or not, stay unsaid.
        follows = "" if self.content.subject == "you" else self.subject
        if form == "how many":
            return join(what, finite, follows, dependent, adjuncts)
        return join(self.question_words[form], finite, follows, dependent, what, adjuncts)
