"""From a slider's event to the new picture: our widgets against the usual way. `make bench`.

The usual way is ``ipywidgets.interact`` with ``model.predict`` and one ``plt.imshow`` per image.
Both ways, in turns, in one run: in this process, and in a real kernel, from the message that moves
the slider to the message that brings the picture. Run it on an idle core.
"""

import argparse
import base64
import contextlib
import functools
import io
import sys
import time

import numpy as np

PREPARE = """
import base64, io
import ipywidgets, keras, numpy as np
from IPython import get_ipython
from IPython.display import display
from keras import layers
from matplotlib import pyplot as plt
from helpers import models, plotting
from helpers.stylegan import GrowingStyleGenerator
from helpers.widgets import LatentSliders


def dcgan_decoder(codings_size):
    scaled = [layers.Rescaling(0.5, 0.5), layers.Reshape((28, 28))]  # from [-1, 1] to [0, 1]
    return keras.Sequential([models.dcgan_generator(codings_size), *scaled])


def style_decoder(codings_size):
    scaled = [layers.Cropping2D(2), layers.Rescaling(0.5, 0.5), layers.ReLU(max_value=1.0)]
    generator = GrowingStyleGenerator(codings_size=codings_size).at(32)
    return keras.Sequential([generator, *scaled, layers.Reshape((28, 28))])


def our_slider(decoder, num_images):
    codings = np.random.default_rng(42).normal(size=(num_images, 10))
    widget = LatentSliders(decoder, codings, directions=np.eye(10))
    display(widget)
    return widget.controls["z₁"], widget.image


def usual_slider(decoder, num_images, show):
    codings = np.random.default_rng(42).normal(size=(num_images, 10))
    side = int(num_images**0.5)

    def draw(**values):
        images = decoder.predict(codings + list(values.values()), verbose=0)
        plt.figure(figsize=(4, 4))
        for index, image in enumerate(images):
            plt.subplot(side, side, index + 1)
            plt.imshow(image, cmap="binary")
            plt.axis("off")
        show()

    sliders = {f"z{i}": ipywidgets.FloatSlider(0, min=-3, max=3) for i in range(10)}
    ipywidgets.interact(draw, **sliders)
    return sliders["z0"]


decoders = {
    "VAE decoder": models.vae_decoder(10),
    "DCGAN generator": dcgan_decoder(10),
    "StyleGAN": style_decoder(10),  # mapping, noise and synthesis, 32 x 32
}
"""
TARGET = {("VAE decoder", 1): 8, ("VAE decoder", 16): 16, ("DCGAN generator", 1): 8,
          ("DCGAN generator", 16): 16, ("StyleGAN", 1): 16, ("StyleGAN", 16): 32}  # fmt: skip
CASES = list(TARGET)
WARM_UP = 5


def levels(rounds):
    """Slider values, each far from the one before; the first WARM_UP are not counted."""
    sizes = np.random.default_rng(1).uniform(0.5, 2.9, rounds + WARM_UP).round(2)
    return [float(size) * (-1) ** index for index, size in enumerate(sizes)]


def in_turns(rounds, *ways, block=10):
    """Milliseconds of every event, one array per way.

    Each way gets `block` events in a row, as when a slider is dragged; then it is the next one's
    turn, so that a change in the machine's load meets all of them.
    """
    values, times = levels(rounds), [[] for _ in ways]
    for start in range(0, len(values), block):
        for way, taken in zip(ways, times, strict=True):
            taken += [way(value) for value in values[start : start + block]]
    return [np.array(taken[WARM_UP:]) for taken in times]


def in_process(rounds):
    """Milliseconds of every event: dict case -> (ours, the usual way), event to PNG bytes."""
    scope = {}
    exec(PREPARE.replace("display(widget)", ""), scope)
    plt = scope["plt"]
    encoded = []

    def encode():  # what the inline backend does at the end of a cell
        buffer = scope["io"].BytesIO()
        plt.gcf().savefig(buffer, format="png", bbox_inches="tight")
        plt.close("all")
        encoded.append(buffer.getvalue())

    times = {}
    for name, num_images in CASES:
        decoder = scope["decoders"][name]
        ours, image = scope["our_slider"](decoder, num_images)
        usual = scope["usual_slider"](decoder, num_images, encode)

        def move_ours(value, ours=ours, image=image, name=name):
            before, start = image.value, time.perf_counter()
            ours.value = value
            taken = time.perf_counter() - start
            assert image.value != before, f"{name}: our picture stayed as it was"
            return 1000 * taken

        def move_usual(value, usual=usual, name=name):
            count, start = len(encoded), time.perf_counter()
            usual.value = value
            taken = time.perf_counter() - start
            assert len(encoded) == count + 1, f"{name}: the usual way drew nothing"
            return 1000 * taken

        times[name, num_images] = in_turns(rounds, move_ours, move_usual)
    return times


class Kernel:
    """A kernel, spoken to as a front end does."""

    def __init__(self):
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3", startup_timeout=120)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def _replies(self, sent):
        """The messages about the one with the id `sent`, until the kernel is idle again."""
        while True:
            message = self.client.get_iopub_msg(timeout=300)
            if message["parent_header"].get("msg_id") != sent:
                continue
            if message["msg_type"] == "error":
                sys.exit("\n".join(message["content"]["traceback"]))
            if message["content"].get("execution_state") == "idle":
                return
            yield message

    def run(self, code):
        """Run `code`; returns what it printed."""
        sent = self.client.execute(code)
        return "".join(message["content"].get("text", "") for message in self._replies(sent))

    def move(self, comm, value):
        """Move a slider by its comm's id; returns milliseconds until the picture was there."""
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        message = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        start, arrived = time.perf_counter(), None
        self.client.shell_channel.send(message)
        for reply in self._replies(message["header"]["msg_id"]):
            if any(part.startswith(b"\x89PNG") for part in pictures(reply)):
                arrived = 1000 * (time.perf_counter() - start)
        return arrived or sys.exit("the kernel sent no picture")


def pictures(message):
    """What in a message may be a picture: a display's image/png, or a comm's buffers."""
    content = message["content"]
    data = content.get("data", {})
    if "image/png" in data:
        yield base64.b64decode(data["image/png"])
    yield from map(bytes, message["buffers"])


def through_kernel(rounds):
    """As :func:`in_process`, but message to message."""
    kernel, times = Kernel(), {}
    try:
        kernel.run("%matplotlib inline\n" + PREPARE)
        for name, num_images in CASES:
            comms = kernel.run(
                f"decoder = decoders[{name!r}]\n"
                f"slider, _ = our_slider(decoder, {num_images})\n"
                f"usual = usual_slider(decoder, {num_images}, plt.show)\n"
                "print('\\n' + slider.model_id, usual.model_id)"
            ).split()[-2:]
            moves = [functools.partial(kernel.move, comm) for comm in comms]
            times[name, num_images] = in_turns(rounds, *moves)
    finally:
        kernel.close()
    return times


def table(title, times):
    print(f"\n{title}, milliseconds")
    print(f"{'':17} images   ours p50    p95  (at most)   usual p50     p95   ratio of p50")
    for (name, num_images), (ours, usual) in times.items():
        a, b, c, d = (np.percentile(t, q) for t in (ours, usual) for q in (50, 95))
        print(
            f"{name:17} {num_images:6} {a:10.1f} {b:6.1f} {TARGET[name, num_images]:8}    "
            f"{c:9.1f} {d:7.1f} {c / a:11.0f}"
        )


def main():
    from helpers import session

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="events per case")
    rounds = parser.parse_args().rounds
    print(session.start(seed=42))
    with contextlib.redirect_stdout(io.StringIO()):  # `interact` displays and clears as text here
        times = in_process(rounds)
    table("In process, event to PNG (target: ratio of at least 25)", times)
    table("Through a kernel's messages", through_kernel(rounds))


if __name__ == "__main__":
    main()
