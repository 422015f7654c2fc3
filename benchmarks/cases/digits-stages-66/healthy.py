import numpy as np
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(83)

CODE, BATCH = 16, 64
x = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")

encoder = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(),
    layers.Dense(CODE, activation="tanh"),
], name="encoder")

generator = keras.Sequential([
    keras.Input((CODE,)),
    layers.Dense(4 * 4 * 16, activation="leaky_relu"),
    layers.Reshape((4, 4, 16)),
    layers.UpSampling2D(),
    layers.Conv2D(16, 3, padding="same", activation="leaky_relu"),
    layers.Conv2D(1, 3, padding="same", activation="tanh"),
], name="generator")

discriminator = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Dropout(0.3),
    layers.Flatten(),
    layers.Dense(32, activation="leaky_relu"),
    layers.Dense(1, activation="sigmoid"),
], name="discriminator")

# stage 1: autoencoder
image = keras.Input((8, 8, 1))
autoencoder = keras.Model(image, generator(encoder(image)))
autoencoder.compile(loss="mse", optimizer=keras.optimizers.Adam(2e-3))
history = autoencoder.fit(x, x, epochs=3, batch_size=BATCH, verbose=0)
print("autoencoder mse", [round(v, 3) for v in history.history["loss"]])
encoder.trainable = False

# stage 2: adversarial training of the decoder
discriminator.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(5e-4, 0.5), metrics=["accuracy"])
code = keras.Input((CODE,))
combined = keras.Model(code, discriminator(generator(code)))
combined.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(3e-4, 0.5))

half = BATCH // 2
for it in range(1, 81):
    real = x[np.random.randint(0, len(x), half)]
    fake = generator.predict(np.random.uniform(-1, 1, (half, CODE)), verbose=0)

    discriminator.trainable = True
    d_loss, d_acc = discriminator.train_on_batch(np.concatenate([real, fake]),
                                                 np.repeat([[1.0], [0.0]], half, axis=0))
    discriminator.trainable = False
    g_loss = combined.train_on_batch(np.random.uniform(-1, 1, (BATCH, CODE)), np.ones((BATCH, 1)))
    if it % 40 == 0:
        print("%d  d_loss %.3f  accuracy %.2f  g_loss %.3f" % (it, d_loss, d_acc, g_loss))
