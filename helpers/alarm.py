"""A callback that watches a GAN's training and says in words what is going wrong."""

import math

import keras


class CollapseAlarm(keras.callbacks.Callback):
    """Says in words what goes wrong in a GAN's training, when it begins and when it is over.

    After each epoch it reads the logs. It knows five troubles:

    - *diverged*: a loss is NaN or infinite.
    - *discriminator too good*: its loss has stayed below `too_good` for `patience` epochs.
    - *discriminator too weak*: its loss has stayed above log 2 + `too_weak` for as long: it does
      worse than by guessing.
    - *falling NAME*, for each watched measure: it has stayed below `kept` times its best level for
      as long. A level counts only if it was held for `patience` epochs: at the start of a healthy
      training a measure may jump up and down.
    - *low NAME*, for measures in `least`: after `grace` epochs it has stayed below its least value
      for as long. A generator that never was diverse can't fall.

    Put a ``helpers.training.Measure`` of what is watched before it in the list of callbacks.

    The two troubles of the discriminator are read from losses in nats, as cross-entropy gives them;
    leave them out (``None``) for other losses.

    Args:
        watch: names of measures of diversity in the logs, such as ``("coverage", "entropy")``.
        kept: the share of a measure's best level that must be kept.
        patience: epochs in a row that make a trouble.
        least: dict, name of a measure -> value that a healthy training has reached after `grace`
            epochs; these are watched, too.
        grace: see above.
        too_good, too_weak: see above, or None.
        stop_if_diverged: whether to end the training then; nothing mends it.
        tell: function of a text, called with each message; default: ``print``.

    Attributes:
        messages: list of (epoch counted from 1, text), of the latest training.
        troubles: set of the names of the troubles that last.

    Raises:
        ValueError: `kept` is not between 0 and 1, `patience` is less than 1, or `grace` negative.
        KeyError: at the end of an epoch, a watched measure isn't in the logs.
    """

    def __init__(self, watch=(), kept=0.6, patience=3, least=None, grace=10, too_good=0.1,
                 too_weak=0.1, stop_if_diverged=True, tell=print):  # fmt: skip
        super().__init__()
        if not 0 < kept < 1 or patience < 1 or grace < 0:
            raise ValueError(
                "kept must be between 0 and 1, patience at least 1, and grace at least 0, not "
                f"{kept}, {patience} and {grace}."
            )
        self.least, self.grace = dict(least or {}), grace
        self.watch = tuple(dict.fromkeys([*watch, *self.least]))  # each once
        self.kept, self.patience = kept, patience
        self.too_good, self.too_weak = too_good, too_weak
        self.stop_if_diverged, self.tell = stop_if_diverged, tell
        self.messages, self.troubles = [], set()

    def on_train_begin(self, logs=None):
        self.messages, self.troubles = [], set()
        self._values, self._best, self._epochs = {}, {}, {}

    def on_epoch_end(self, epoch, logs=None):
        for name, (value, present, text) in self._check(epoch, logs or {}).items():
            if math.isnan(value):
                continue  # nothing known: what was a trouble stays one
            self._epochs[name] = self._epochs.get(name, 0) + 1 if present else 0
            lasting = self._epochs[name] >= (1 if name == "diverged" else self.patience)
            if lasting and name not in self.troubles:
                self.troubles.add(name)
                self._say(epoch, text)
            elif not present and name in self.troubles:
                self.troubles.remove(name)
                self._say(epoch, f"over: {name}")
        if "diverged" in self.troubles and self.stop_if_diverged:
            self.model.stop_training = True

    def _check(self, epoch, logs):
        """Dict name of a trouble -> (a number, whether this epoch shows it, what to say)."""
        losses = [value for name, value in logs.items() if name.endswith("loss")]
        bad = not all(map(math.isfinite, losses))
        found = {
            "diverged": (0, bad, "DIVERGED: a loss is not a number. Lower the learning rates.")
        }
        loss = float(logs.get("discriminator_loss", math.nan))
        if self.too_good is not None:
            found["discriminator too good"] = (loss, loss < self.too_good, (
                f"DISCRIMINATOR TOO GOOD: its loss is {loss:.2f}. It gives the generator little to "
                "learn from. Lower its learning rate or raise the generator's."))  # fmt: skip
        if self.too_weak is not None:
            found["discriminator too weak"] = (loss, loss > math.log(2) + self.too_weak, (
                f"DISCRIMINATOR TOO WEAK: its loss is {loss:.2f}, worse than by guessing (0.69). "
                "Raise its learning rate or lower the generator's."))  # fmt: skip
        for name in self.watch:
            value = float(logs[name])
            latest = self._values[name] = [*self._values.get(name, []), value][-self.patience :]
            if len(latest) == self.patience and all(map(math.isfinite, latest)):
                self._best[name] = max(min(latest), self._best.get(name, min(latest)))
            best = self._best.get(name, math.nan)  # the best level held so far
            found[f"falling {name}"] = (value, value < self.kept * best, (
                f"FALLING {name.upper()}: {value:.2f}, but it has been {best:.2f}. The generator "
                "makes less and less of what it could: mode collapse?"))  # fmt: skip
            least = self.least.get(name, -math.inf)
            found[f"low {name}"] = (value, epoch >= self.grace and value < least, (
                f"LOW {name.upper()}: {value:.2f}, still below {least:.2f}. The generator makes "
                "little of what it should: mode collapse from the start?"))  # fmt: skip
        return found

    def _say(self, epoch, text):
        self.messages.append((epoch + 1, text))
        self.tell(f"epoch {epoch + 1}: {text}")
