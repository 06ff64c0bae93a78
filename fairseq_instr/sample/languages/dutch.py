"""Dutch: de and het, adjectives without -e before an indefinite het-word, inversion."""

from __future__ import annotations

from fairseq_instr.sample.languages.grammar import Grammar, join


class Dutch(Grammar):
    """For one: "Elke dag koop je twee rode appels op de markt."."""

    language, preposition = "nl", "voor"
    question_words = {"who": "wie", "why": "waarom", "where": "waar", "when": "wanneer"}
    pronouns = ("hij", "ze", "ze")
    persons = {"1s": "stem", "1p": "plural", "3p": "plural"}

    def noun_phrase(self) -> str:
        content, noun = self.content, self.noun
        neuter_singular = noun["gender"] == "n" and not content.plural
        determiner = self.number() or {
            "a": "een",
            "the": "het" if neuter_singular else "de",
            "my": "mijn",
            "your": "uw" if self.formal else "je",
            "how many": "hoeveel",
        }.get(content.determiner)
        bare = neuter_singular and content.determiner == "a"  # een rood boek, het rode boek
        adjective = self.adjective.get("base" if bare else "inflected")
        return join(determiner, adjective, noun[self.noun_number])

    def clause(self) -> str:
        content, verb = self.content, self.verb
        subject_first = content.form == "statement" and not content.fronted
        # Before "je" the verb loses its -t: je koopt, koop je.
        loses_t = self.subject == "je" and not subject_first
        finite = (self.modal or verb)["stem" if loses_t else self.person]
        end = verb["particle"] + verb["plural"] if self.modal else verb["particle"]
        what = self.noun_phrase()
        middle = [self.when, self.where, self.whom]
        if content.form != "how many":  # what is known comes first
            middle.insert(0 if content.is_definite else 2, what)
        rest = join(*middle, end)
        if subject_first:
            return join(self.subject, finite, rest)
        if content.form == "request":
            polite = join(verb["2s"], "u alstublieft")
            return join(polite if self.formal else join(verb["stem"], "alsjeblieft"), rest)
        firsts = {"statement": self.first, "how many": what, **self.question_words}
        return join(firsts.get(content.form), finite, self.subject, rest)
