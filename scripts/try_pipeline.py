"""Load the installed pipeline and print the entities of a few texts."""

import sys

import spacy

TEXTS = [
    "Dr. Jane Goodall watched chimpanzees in Tanzania for more than 25 years before she wrote Through a Window.",
    "In May 2019 the European Space Agency pointed the Hubble Space Telescope at Jupiter.",
    "we had ramen in kyoto, then lost 3-1 to the osaka team",
    "Insulin was first used to treat diabetes at Toronto General Hospital in January 1922.",
]


def main(name: str) -> None:
    nlp = spacy.load(name)
    for doc in nlp.pipe(TEXTS):
        print(f"\n{doc.text}")
        for span in doc.ents:
            sure = "" if span._.confidence is None else f"  {span._.confidence:.2f}"
            print(f"  {span.label_:<11} {span.text}{sure}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "en_ossamma_ner")
