from ossamma_spacy.cli import app

app(prog_name="ossamma")
