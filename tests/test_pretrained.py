"""Shipped weights: written whole or not at all, refused if they are not what the manifest says."""

import hashlib
import json
import warnings

import h5py
import keras
import numpy as np
import pytest

from helpers import pretrained
from helpers.gan import GAN
from helpers.pretrained import PretrainedError

FACTS = dict(recipe="made for a test", seed=7, epochs=3, minutes=1.26, measured={"loss": 0.5})
KEYS = {"file", "sha256", "bytes", "parameters", "recipe", "seed", "epochs", "minutes", "machine",
        "versions", "measured"}  # fmt: skip


def network(*units, inputs=3):
    """A new network with random weights, one Dense layer for each of `units`."""
    return keras.Sequential(
        [keras.Input(shape=(inputs,)), *(keras.layers.Dense(number) for number in units)]
    )


def same(weights_a, weights_b):
    return all(np.array_equal(a, b) for a, b in zip(weights_a, weights_b, strict=True))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def shipped(tmp_path):
    """A folder with the weights "small" of a network(4, 2), and that network."""
    model = network(4, 2)
    pretrained.save_weights(model, "small", folder=tmp_path, **FACTS)
    return tmp_path, model


# --- good weights


def test_round_trip(shipped):
    folder, model = shipped
    other = network(4, 2)
    assert not same(other.get_weights(), model.get_weights())
    assert pretrained.load_weights(other, "small", folder) is other
    assert same(other.get_weights(), model.get_weights())


def test_half_as_many_digits_take_half_the_room(tmp_path):
    model = network(200, 300)
    for name, half in {"whole": False, "half": True}.items():
        pretrained.save_weights(model, name, half=half, folder=tmp_path, **FACTS)
    sizes = [pretrained.describe(name, tmp_path)["bytes"] for name in ("half", "whole")]
    assert sizes[0] < 0.6 * sizes[1]
    other = pretrained.load_weights(network(200, 300), "half", tmp_path)
    for loaded, saved in zip(other.get_weights(), model.get_weights(), strict=True):
        assert loaded.dtype == np.float32
        np.testing.assert_allclose(loaded, saved, rtol=1e-3, atol=1e-6)
    assert set(contents(tmp_path)) == {"manifest.json", "whole.weights.h5", "half.weights.h5"}


def test_entry_is_complete(shipped):
    folder, _ = shipped
    entry = pretrained.describe("small", folder)
    assert set(entry) == KEYS
    content = (folder / "small.weights.h5").read_bytes()
    assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert (entry["file"], entry["bytes"]) == ("small.weights.h5", len(content))
    assert entry["parameters"] == (3 + 1) * 4 + (4 + 1) * 2
    assert (entry["recipe"], entry["seed"], entry["epochs"]) == ("made for a test", 7, 3)
    assert (entry["minutes"], entry["measured"]) == (1.3, {"loss": 0.5})
    assert entry["versions"]["keras"] == keras.__version__
    assert set(entry["versions"]) == {"tensorflow", "keras", "numpy"}


def test_other_entries_stay(shipped):
    folder, model = shipped
    before = pretrained.describe("small", folder)
    pretrained.save_weights(network(1), "other", folder=folder, history={"loss": [2, 1]}, **FACTS)
    assert pretrained.describe("small", folder) == before
    assert pretrained.describe("other", folder)["history"] == {"loss": [2, 1]}
    assert sorted(contents(folder)) == ["manifest.json", "other.weights.h5", "small.weights.h5"]


def test_saving_again_replaces(shipped):
    folder, _ = shipped
    newer = network(4, 2)
    pretrained.save_weights(newer, "small", folder=folder, **{**FACTS, "epochs": 9})
    loaded = pretrained.load_weights(network(4, 2), "small", folder)
    assert same(loaded.get_weights(), newer.get_weights())
    assert pretrained.describe("small", folder)["epochs"] == 9


def test_available(shipped, tmp_path):
    assert pretrained.available("small", tmp_path)
    assert not pretrained.available("large", tmp_path)
    assert not pretrained.available("small", tmp_path / "nowhere")


# --- optimizers


def trained(model):
    model.compile(loss="mse", optimizer="adam")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return model


def test_optimizer_is_not_saved_and_survives(tmp_path):
    model = trained(network(4, 2))
    optimizer = model.optimizer
    pretrained.save_weights(model, "small", folder=tmp_path, **FACTS)
    assert model.optimizer is optimizer
    with h5py.File(tmp_path / "small.weights.h5") as file:
        names = []
        file.visit(names.append)
    assert names and not any("optimizer" in name or "momentum" in name for name in names)


def test_loading_into_a_trained_model_warns_of_nothing_and_keeps_its_optimizer(shipped):
    folder, original = shipped
    model = trained(network(4, 2))
    optimizer, state = model.optimizer, [v.numpy() for v in model.optimizer.variables]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pretrained.load_weights(model, "small", folder)
    assert same(model.get_weights(), original.get_weights())
    assert model.optimizer is optimizer and int(optimizer.iterations) == 1
    assert same([v.numpy() for v in optimizer.variables], state)
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)


def test_gan_with_two_optimizers(tmp_path):
    def gan():
        made = GAN(network(2), network(1, inputs=2), seed=1)
        made.compile("rmsprop", "adam")
        return made

    first, second = gan(), gan()
    first.fit(np.ones((8, 2), np.float32), batch_size=4, verbose=0)
    pretrained.save_weights(first, "gan", folder=tmp_path, **FACTS)
    optimizers = second.generator_optimizer, second.discriminator_optimizer
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pretrained.load_weights(second, "gan", tmp_path)
    assert (second.generator_optimizer, second.discriminator_optimizer) == optimizers
    assert same(second.generator.get_weights(), first.generator.get_weights())
    assert same(second.discriminator.get_weights(), first.discriminator.get_weights())


# --- bad weights


def test_other_sha256_is_refused(shipped):
    folder, _ = shipped
    path = folder / "small.weights.h5"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    model = network(4, 2)
    before = model.get_weights()
    with pytest.raises(PretrainedError, match="small.weights.h5.*sha256.*git checkout"):
        pretrained.load_weights(model, "small", folder)
    assert same(model.get_weights(), before)


def test_missing_file_is_named_with_the_remedy(shipped):
    folder, _ = shipped
    (folder / "small.weights.h5").unlink()
    with pytest.raises(PretrainedError, match="small.weights.h5 is missing.*git checkout"):
        pretrained.load_weights(network(4, 2), "small", folder)


def test_unknown_name_lists_the_known(shipped):
    folder, _ = shipped
    with pytest.raises(PretrainedError, match="'large'.*there are: small.*make weights"):
        pretrained.load_weights(network(4, 2), "large", folder)


def test_unknown_name_in_an_empty_folder(tmp_path):
    with pytest.raises(PretrainedError, match="there are: none"):
        pretrained.describe("small", tmp_path)


@pytest.mark.parametrize("units", [(4, 3), (5, 2), (4,), (4, 2, 2)])
def test_weights_of_another_network_leave_the_model_as_it_was(units, shipped):
    folder, _ = shipped
    model = network(*units)
    before = model.get_weights()
    with pytest.raises(PretrainedError, match="'small' do not fit.*made for a test"):
        pretrained.load_weights(model, "small", folder)
    assert same(model.get_weights(), before)


def test_model_that_is_not_built_is_told_apart_from_another_network(shipped):
    folder, original = shipped
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2)])
    with pytest.raises(PretrainedError, match="'small' need a model that is built.*one batch"):
        pretrained.load_weights(model, "small", folder)
    model(np.ones((1, 3)))
    pretrained.load_weights(model, "small", folder)
    assert same(model.get_weights(), original.get_weights())


@pytest.mark.parametrize("text", ["", '{"small": {"file": "sm', "[]", '{"small": {"file": "x"}}'])
def test_damaged_manifest_is_named(text, shipped):
    folder, _ = shipped
    (folder / "manifest.json").write_text(text)
    with pytest.raises(PretrainedError, match="manifest.json is damaged.*git checkout"):
        pretrained.load_weights(network(4, 2), "small", folder)


def test_damaged_manifest_is_not_overwritten(shipped):
    folder, model = shipped
    (folder / "manifest.json").write_text("{")
    before = contents(folder)
    with pytest.raises(PretrainedError):
        pretrained.save_weights(network(4, 2), "small", folder=folder, **FACTS)
    assert contents(folder) == before


def test_full_disk_leaves_nothing_half_written(shipped, monkeypatch):
    folder, model = shipped
    before = contents(folder)

    def half(path):
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(model, "save_weights", half)
    with pytest.raises(OSError, match="No space left"):
        pretrained.save_weights(model, "small", folder=folder, **FACTS)
    assert contents(folder) == before


def test_measure_that_is_not_json_leaves_nothing_half_written(shipped):
    folder, _ = shipped
    before = contents(folder)
    with pytest.raises(TypeError):
        pretrained.save_weights(
            network(4, 2), "small", folder=folder, **{**FACTS, "measured": {"loss": object()}}
        )
    assert contents(folder) == before


# --- what ships


def test_shipped_files_match_the_manifest():
    manifest = pretrained.read_manifest()
    assert "classifier" in manifest
    for entry in manifest.values():
        content = (pretrained.WEIGHTS / entry["file"]).read_bytes()
        assert len(content) == entry["bytes"]
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]


def test_shipped_entries_are_complete():
    for name, entry in pretrained.read_manifest().items():
        assert KEYS <= set(entry), name
        assert entry["recipe"].strip() and entry["measured"] and entry["epochs"] >= 1
        assert set(entry["versions"]) == {"tensorflow", "keras", "numpy"}
        lengths = [len(values) for values in entry.get("history", {}).values()]
        assert max(lengths, default=entry["epochs"]) == entry["epochs"]
        assert all(lengths)  # where networks grow, some measures begin with the last stage only


def test_manifest_lists_every_shipped_file_and_is_in_order():
    text = (pretrained.WEIGHTS / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    listed = {entry["file"] for entry in manifest.values()}
    found = {path.name for path in pretrained.WEIGHTS.glob("*.h5")}
    assert found == listed
    assert text == json.dumps(manifest, indent=1, sort_keys=True) + "\n"
