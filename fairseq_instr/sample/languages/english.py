"""English: do-support, a or an; one way to address everybody."""

from __future__ import annotations

from fairseq_instr.sample.languages.grammar import Grammar, join


class English(Grammar):
    """For one: "Anna wants to buy two red apples at the market every day."."""

    language, preposition = "en", "for"
    question_words = {"yes-no": "", "why": "why", "where": "where", "when": "when"}
    pronouns = ("he", "she", "they")
    persons = dict.fromkeys(("1s", "2s", "1p", "3p"), "base")

    def noun_phrase(self) -> str:
        noun = self.forms("noun", self.content.noun)[
            "plural" if self.content.plural else "singular"
        ]
        noun = join(self.adjective.get("base"), noun)
        determiner = self.number() or self.content.determiner
        return join("an" if determiner == "a" and noun[0] in "aeiou" else determiner, noun)

    def clause(self) -> str:
        form, verb = self.content.form, self.verb
        if self.modal:
            verb = {name: join(self.modal[name], self.verb["base"]) for name in self.verb}
        if self.content.modal == "can":
            inverted = join("can", self.subject, self.verb["base"])
        else:
            inverted = join("does" if self.person == "3s" else "do", self.subject, verb["base"])
        what, adjuncts = self.noun_phrase(), join(self.whom, self.where, self.when)
        if form == "statement":
            return join(self.first, self.subject, verb[self.person], what, adjuncts)
        if form == "request":
            return join("please", verb["base"], what, adjuncts)
        if form == "who":
            return join("who", verb["3s"], what, adjuncts)
        if form == "how many":
            return join(what, inverted, adjuncts)
        return join(self.question_words[form], inverted, what, adjuncts)
