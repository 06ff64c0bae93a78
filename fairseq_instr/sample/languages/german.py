"""German: three genders in the accusative, adjective endings, the verb in second place."""

from __future__ import annotations

from fairseq_instr.sample.languages.grammar import Grammar, join

# Objects are accusative throughout: the endings of articles and adjectives by gender or p.
DEFINITE = {"m": "den", "f": "die", "n": "das", "p": "die"}
EIN_ENDINGS = {"m": "en", "f": "e", "n": "", "p": "e"}
STRONG = {"m": "en", "f": "e", "n": "es", "p": "e"}  # after ein-, and after numbers
WEAK = {"m": "en", "f": "e", "n": "e", "p": "en"}  # after the definite article


class German(Grammar):
    """For one: "Jeden Tag bringt Anna zwei rote Äpfel mit."."""

    language, preposition = "de", "für"
    question_words = {"who": "wer", "why": "warum", "where": "wo", "when": "wann"}
    pronouns = ("er", "sie", "sie")
    persons = {"1p": "plural", "3p": "plural"}
    polite_person = "plural"

    def noun_phrase(self) -> str:
        content, noun = self.content, self.noun
        gender = "p" if content.plural else noun["gender"]
        endings = STRONG
        if content.determiner == "the":
            determiner, endings = DEFINITE[gender], WEAK
        elif content.number:
            determiner = self.number()
        elif content.determiner == "how many":
            determiner = "wie viele"
        else:
            stems = {"a": "ein", "my": "mein", "your": "Ihr" if self.formal else "dein"}
            determiner = stems[content.determiner] + EIN_ENDINGS[gender]
            if content.plural:  # meine roten Äpfel, though zwei rote Äpfel
                endings = WEAK
        adjective = self.adjective["stem"] + endings[gender] if self.adjective else ""
        return join(determiner, adjective, noun[self.noun_number])

    def clause(self) -> str:
        content, verb = self.content, self.verb
        finite, end = verb[self.person], verb["particle"]
        if self.modal:
            finite, end = self.modal[self.person], verb["particle"] + verb["plural"]  # mitbringen
        what = self.noun_phrase()
        middle = [self.when, self.whom, self.where]
        if content.form != "how many":  # what is known comes first
            middle.insert(0 if content.is_definite else len(middle), what)
        rest = join(*middle, end)
        if content.form == "statement" and not content.fronted:
            return join(self.subject, finite, rest)
        if content.form == "request":
            asked = join(verb["plural"], "Sie") if self.formal else verb["imperative"]
            return join(asked, "bitte", rest)
        firsts = {"statement": self.first, "how many": what, **self.question_words}
        return join(firsts.get(content.form), finite, self.subject, rest)
