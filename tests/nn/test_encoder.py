"""The encoder as a whole: no dependence on the batch, switches, gradients."""

from dataclasses import replace

import pytest
import torch

from ossamma_spacy.nn.config import SIZES, EncoderConfig
from ossamma_spacy.nn.encoder import Encoder
from ossamma_spacy.nn.lexical import AFFIXES, CASES, MAX_PIECES, Words

CONFIG = EncoderConfig(
    width=16, depth=2, heads=2, window=4, feed_forward_width=24, dropout=0.0, word_dropout=0.0,
    memory_dropout=0.0, vocabulary_rows=50, affix_rows=40,
    affix_width=4, word_rows=30, pair_rows=30, memory_width=4, time_width=8,
)  # fmt: skip
SWITCHES = [
    "input_gate", "output_gate", "oscillator", "linear_attention", "windowed_attention", "token_mixing",
    "time_condition", "feed_forward",
]  # fmt: skip


def make_words(lengths, config=CONFIG, seed=0, padding=0):
    """Random words; the words of document i depend on its length and on nothing else."""
    longest = max(lengths) + padding
    rows, index, pairs = [], torch.zeros(len(lengths), longest, dtype=torch.int64), []
    for i, n in enumerate(lengths):
        generator = torch.Generator().manual_seed(seed + 1000 * n)
        high = (config.vocabulary_rows, config.affix_rows, CASES, max(config.word_rows, 1), max(config.pair_rows, 1))
        sizes = ((n, MAX_PIECES), (n, AFFIXES), (n,), (n,), (longest, 2))
        parts = [torch.randint(0, h, s, generator=generator) for h, s in zip(high, sizes, strict=True)]
        index[i, :n] = torch.arange(n) + sum(len(row[0]) for row in rows)
        pairs.append(parts.pop())
        rows.append(parts)
    pieces, affixes, cases, words = (torch.cat(column) for column in zip(*rows, strict=True))
    return Words(pieces, affixes, cases, words, index, torch.stack(pairs), torch.tensor(lengths))


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    encoder = Encoder(CONFIG).eval()
    for table in (encoder.lexicon.word_memory, encoder.lexicon.pair_memory):
        torch.nn.init.normal_(table.weight)  # it starts at zero, and would hide what it adds
    return encoder


def randomize_time(encoder):
    """Give the maps from time, which start at zero, something to say."""
    for name, parameter in encoder.named_parameters():
        if "from_time" in name or "mix_time" in name:
            torch.nn.init.normal_(parameter, std=0.3)


@torch.no_grad()
def test_a_document_is_encoded_alike_alone_in_any_batch_order_and_padding(encoder):
    lengths = [9, 1, 23, 2, 4]
    alone = {n: encoder(make_words([n]))[0] for n in lengths}
    for order, padding in ((lengths, 0), (lengths[::-1], 0), (lengths, 17), ([23, 9], 3)):
        together = encoder(make_words(order, padding=padding))
        for row, n in zip(together, order, strict=True):
            assert (row[:n] - alone[n]).abs().max() <= 1e-4
            assert (row[n:] == 0).all()


@torch.no_grad()
def test_a_document_in_segments_is_encoded_as_whole(encoder, monkeypatch):
    words = make_words([500, 130])
    whole = encoder(words)
    monkeypatch.setattr("ossamma_spacy.nn.encoder.SEGMENT", 64)
    assert (encoder(words) - whole).abs().max() <= 1e-4


def test_gradients_in_segments_are_those_of_the_whole(encoder, monkeypatch):
    words, weight = make_words([300]), torch.randn(1, 300, 16)
    parameters = list(encoder.blocks.parameters())
    whole = torch.autograd.grad((encoder(words) * weight).sum(), parameters)
    monkeypatch.setattr("ossamma_spacy.nn.encoder.SEGMENT", 64)
    for a, b in zip(torch.autograd.grad((encoder(words) * weight).sum(), parameters), whole, strict=True):
        assert (a - b).abs().max() <= 1e-3 * b.abs().max().clamp_min(1.0)


@torch.no_grad()
def test_lengths_of_zero_give_nothing(encoder):
    assert encoder(make_words([0, 3]))[0].abs().sum() == 0
    assert encoder(make_words([0])).shape == (1, 0, 16)


@torch.no_grad()
def test_folded_and_unfolded_time_agree(encoder):
    randomize_time(encoder)
    words = make_words([5, 12])
    assert torch.allclose(encoder(words), encoder(words, torch.zeros(2)), atol=1e-5)
    assert not torch.allclose(encoder(words), encoder(words, torch.full((2,), 0.5)), atol=1e-3)


@torch.no_grad()
def test_time_changes_nothing_at_the_start(encoder):
    words = make_words([5, 12])
    assert torch.allclose(encoder(words), encoder(words, torch.tensor([0.1, 0.9])), atol=1e-5)


def test_gradients_reach_every_parameter(encoder):
    randomize_time(encoder)
    encoder.train()
    hidden = torch.zeros(2, 9, dtype=torch.bool)
    hidden[0, 3] = True
    (encoder(make_words([9, 4]), torch.tensor([0.2, 0.7]), hidden) * torch.randn(2, 9, 16)).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.to_dense().abs().sum() > 0, name


@torch.no_grad()
def test_nothing_of_a_hidden_word_is_seen(encoder):
    words = make_words([9])
    hidden = torch.zeros(1, 9, dtype=torch.bool)
    hidden[0, 4] = True
    before = encoder.lexicon(words, hidden)
    words.pieces[4], words.affixes[4], words.cases[4], words.words[4] = 1, 1, 1, 1
    words.pairs[0, 4] = words.pairs[0, 3, 1] = words.pairs[0, 5, 0] = 7
    assert torch.equal(encoder.lexicon(words, hidden), before)
    assert not torch.allclose(encoder.lexicon(words), encoder.lexicon(words, hidden))


@torch.no_grad()
def test_the_memory_of_a_dropped_word_is_hidden_wherever_it_stands(encoder):
    words = make_words([9, 9])
    words.index[1] = words.index[0, [4, 0, 4, 1, 2, 3, 4, 5, 6]]  # words of the first document again
    lexicon = Encoder(replace(CONFIG, memory_dropout=0.5)).lexicon
    lexicon.load_state_dict(encoder.lexicon.state_dict())
    known = lexicon.eval().memory(words, None)
    torch.manual_seed(0)
    seen = lexicon.train().memory(words, None)
    torch.manual_seed(0)
    dropped = torch.rand(len(words.words)) < 0.5
    assert dropped[:9].any() and not dropped[:9].all()
    assert torch.equal(seen, lexicon.eval().memory(words, dropped[words.index]))
    assert not torch.equal(seen, known)


@torch.no_grad()
def test_hidden_padding_hides_nothing(encoder):
    words = make_words([9, 4])
    hidden = torch.zeros(2, 9, dtype=torch.bool)
    hidden[1, 4:] = True
    known = encoder.lexicon.memory(words, None)
    assert torch.equal(encoder.lexicon.memory(words, hidden)[1, :4], known[1, :4])


def test_dropout_of_words_and_memory_stops_at_prediction():
    torch.manual_seed(0)
    encoder = Encoder(replace(CONFIG, word_dropout=0.5, memory_dropout=0.5))
    words = make_words([9])
    with torch.no_grad():
        assert not torch.equal(encoder(words), encoder(words))
        encoder.eval()
        assert torch.equal(encoder(words), encoder(words))


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_block_without_a_part_has_none_of_its_weights_and_runs(switch):
    off = {switch: False}
    if switch == "windowed_attention":
        off |= {"input_gate": False, "output_gate": False, "token_mixing": False}
    full, less = Encoder(CONFIG), Encoder(replace(CONFIG, **off)).eval()
    assert sum(p.numel() for p in less.parameters()) < sum(p.numel() for p in full.parameters())
    assert torch.isfinite(less(make_words([9, 4]))).all()


@torch.no_grad()
@pytest.mark.parametrize(
    ("switch", "saturate"),
    [
        ("input_gate", lambda block: block.w_in.weight.zero_()),  # 2σ(0) = 1
        ("token_mixing", lambda block: (block.mix.weight.zero_(), block.mix.bias.zero_())),  # α = ½
        ("feed_forward", lambda block: (block.ffn_out.weight.zero_(), block.ffn_out.bias.zero_())),
    ],
)
def test_a_part_switched_off_equals_its_neutral_value(switch, saturate):
    torch.manual_seed(0)
    full = Encoder(replace(CONFIG, time_condition=False)).eval()
    off = Encoder(replace(CONFIG, time_condition=False, **{switch: False})).eval()
    off.load_state_dict(full.state_dict(), strict=False)
    words = make_words([9, 4])
    assert not torch.allclose(full(words), off(words), atol=1e-4)
    for block in full.blocks:
        saturate(block)
    assert torch.allclose(full(words), off(words), atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(("bias", "branch"), [(50.0, "global"), (-50.0, "local")])
def test_saturated_mixing_leaves_one_branch(bias, branch):
    torch.manual_seed(0)
    encoder = Encoder(replace(CONFIG, depth=1, output_gate=False, time_condition=False)).eval()
    block = encoder.blocks[0]
    block.mix.bias.fill_(bias)
    words = make_words([9])
    if branch == "local":
        block.w_in = None  # what the global branch does to the local one
    unread = block.local_in if branch == "global" else block.w_o
    before = encoder(words)
    unread.weight.normal_()
    assert torch.allclose(before, encoder(words), atol=1e-5)


@torch.no_grad()
def test_bfloat16_stays_near(encoder):
    words = make_words([30, 9])
    exact = encoder(words)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = encoder(words).float()
    assert (exact - rough).abs().max() < 0.15


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 100, "heads": 6}, "width = 100 is not a multiple"),
        ({"depth": 0}, "depth = 0"),
        ({"dropout": 1.0}, "dropout = 1.0"),
        ({"word_rows": -1}, "word_rows = -1"),
        ({"time_width": 3}, "time_width = 3"),
        ({"windowed_attention": False}, "input_gate = true"),
        (
            dict.fromkeys(
                ("windowed_attention", "linear_attention", "oscillator", "input_gate", "output_gate", "token_mixing"),
                False,
            ),
            "no branch is left, keep oscillator",
        ),
        ({"weight": 3}, "unknown settings weight"),
    ],
)
def test_a_config_that_cannot_be_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        EncoderConfig.from_dict(values)


def test_sizes_have_the_planned_shape_but_for_the_layers_of_tiny():
    shapes = {name: (c.depth, c.width, c.heads, c.window) for name, c in SIZES.items()}
    assert shapes == {
        "tiny": (3, 192, 6, 64), "small": (6, 384, 6, 128), "base": (12, 768, 12, 256), "large": (24, 1024, 16, 256),
    }  # fmt: skip
