"""What a shell is offered after an option, asked as bash asks."""

import os

import pytest

from infoplane.cli import run as cli


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("infoplane re", ["reproduce", "recover"]),
        ("infoplane reproduce fig", ["fig3", "fig4", "fig5", "fig6", "fig7"]),
        ("infoplane reproduce fig4 --scale s", ["smoke", "small"]),
        ("infoplane train --preset app", ["appendix"]),
        ("infoplane train --data cifar10-", ["cifar10-jpeg"]),
        ("infoplane train --model resnet3", ["resnet32"]),
        ("infoplane train --method synscaw+conf", ["synscaw+confidence-penalty"]),
        ("infoplane compare --metric jsd_", ["jsd_weights", "jsd_activations"]),
        ("infoplane sweep --metric i_zx_l", ["i_zx_lower"]),
    ],
)
def test_a_shell_completes_commands_and_the_names_that_options_take(monkeypatch, capfd, words, offered):
    for name, value in {
        "_INFOPLANE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }.items():
        monkeypatch.setitem(os.environ, name, value)
    with pytest.raises(SystemExit, match="0"):
        cli([])
    found = capfd.readouterr().out.split()
    assert set(found) >= set(offered)
