"""What the grammars share: the words of a content in one language, and joining them."""

from __future__ import annotations

from typing import Mapping, Optional, Tuple

from fairseq_instr.sample import lexicon
from fairseq_instr.sample.content import Content


def join(*words: Optional[str]) -> str:
    """Words with a space between them; what is empty or None is left out."""
    return " ".join(word for word in words if word)


def capitalise(text: str) -> str:
    """The first letter in upper case, the rest as it is (unlike `str.capitalize`)."""
    return text[:1].upper() + text[1:]


class Grammar:
    """Says a content in one language; each language is a subclass.

    Attributes:
        person: the verb's form that agrees with the subject.
        subject: who acts; "" where that is left unsaid.
        noun, verb, modal: their forms; no modal is the plain present.
        noun_number: "singular" or "plural".
        whom: the recipient with the preposition, or "".
        where: the place, or "".
        when: the time in its usual position, or "".
        first: the time that comes first, or "".
    """

    language: str  # code
    preposition: str  # before a recipient
    question_words: Mapping[str, str] = {}  # by form
    # "he", "she" and "they"; empty where they are left unsaid
    pronouns: Tuple[str, str, str] = ("", "", "")
    persons: Mapping[str, str] = {}  # of the subject -> the verb's form, where they differ
    polite_person = "2s"  # of the verb with a polite "you"

    def __init__(self, content: Content, formality: Optional[str] = None):
        self.content, self.formality = content, formality
        self.formal = formality == "formal"
        subject = content.subject
        person = lexicon.PEOPLE[subject]["person"] if subject else "3s"
        if subject == "you" and self.formal:
            person = self.polite_person
        self.person = self.persons.get(person, person)
        self.subject = self._somebody(subject)
        self.noun = self.forms("noun", content.noun)
        self.noun_number = "plural" if content.plural else "singular"
        self.verb = self.forms("verb", content.verb)
        self.modal = self.forms("verb", content.modal) if content.modal else None
        self.whom = ""
        if content.recipient:
            self.whom = join(self.preposition, self._somebody(content.recipient, True))
        self.where = lexicon.PLACES[content.place][self.language] if content.place else ""
        time = lexicon.TIMES[content.time][self.language] if content.time else ""
        self.when = "" if content.fronted else time
        self.first = time if content.fronted else ""

    def forms(self, category: str, word: str) -> Mapping[str, str]:
        """The forms of a word, by name."""
        return lexicon.forms(self.language, category, word)

    @property
    def adjective(self) -> Mapping[str, str]:
        """The forms of the adjective; none without one."""
        word = self.content.adjective
        return self.forms("adjective", word) if word else {}

    def number(self, feminine: bool = False) -> str:
        """The number in front of the noun, or ""."""
        value = self.content.number
        if value is None:
            return ""
        return lexicon.number(self.language, value, self.content.in_digits, feminine)

    def _somebody(self, person: Optional[str], after_preposition: bool = False) -> str:
        if person is None:
            return ""
        text = lexicon.PEOPLE[person][self.language]
        return lexicon.phrase(text, self.formality, after_preposition)

    def noun_phrase(self) -> str:
        """The object."""
        raise NotImplementedError

    def clause(self) -> str:
        """The first sentence, without its capital and its end mark."""
        raise NotImplementedError

    def say(self) -> str:
        """The whole: one sentence, or two."""
        mark = "." if self.content.form in ("statement", "request") else "?"
        return join(capitalise(self.clause()) + mark, self._second_sentence())

    def _second_sentence(self) -> str:
        """A remark as written, or pronoun, verb and complement; or ""."""
        second, subject = self.content.second, self.content.subject
        if second is None or subject is None:
            return ""
        if second in lexicon.REMARKS:
            return lexicon.phrase(lexicon.REMARKS[second][self.language], self.formality)
        who = lexicon.PEOPLE[subject]
        pronoun = self.subject
        if not any(self.pronouns):
            pronoun = ""
        elif who["person"] in ("3s", "3p"):
            he, she, they = self.pronouns
            pronoun = they if who["person"] == "3p" else he if who["gender"] == "m" else she
        verb = self.forms("verb", lexicon.PREDICATES[second]["verb"])[self.person]
        what = lexicon.complement(self.language, second, subject)
        return capitalise(join(pronoun, verb, what)) + "."
