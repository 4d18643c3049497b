"""Without its library an integration says in one sentence what to install; infoplane itself does not need it."""

import subprocess
import sys

LIBRARIES = {
    "lightning": "lightning.pytorch",
    "transformers": "transformers",
    "ignite": "ignite.engine",
    "tensorboard": "tensorboard.compat.proto.histogram_pb2",
}


def test_missing_library_is_said_in_one_sentence_and_recording_needs_none(tmp_path):
    code = f"""
import importlib, sys
import infoplane, infoplane.integrations, infoplane.sink
infoplane.record
libraries = {LIBRARIES!r}
print(sorted(set(libraries) & set(sys.modules)))
sys.modules.update(dict.fromkeys(libraries.values()))
for extra in libraries:
    try:
        importlib.import_module("infoplane.integrations." + extra)
    except ImportError as error:
        print(error)
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    loaded, *sentences = result.stdout.splitlines()
    assert loaded == "[]"
    assert len(sentences) == len(LIBRARIES)
    for extra, sentence in zip(LIBRARIES, sentences, strict=True):
        assert "does not import" in sentence or "is not installed" in sentence
        assert sentence.endswith(f"pip install 'infoplane[{extra}]'")
