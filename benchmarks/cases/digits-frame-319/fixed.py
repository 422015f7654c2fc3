import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(71)

EDGE = 2
FULL = 8 + 2 * EDGE
BATCH = 64
LATENT = 24

digits = load_digits().images.astype("float32")[..., None]


def prepare(image):
    image = tf.pad(image, [[EDGE, EDGE], [EDGE, EDGE], [0, 0]])
    return image / 8.0 - 1.0


def to_full_size(batch):
    return tf.pad(batch, [[0, 0], [EDGE, EDGE], [EDGE, EDGE], [0, 0]], constant_values=-1.0)


train = (tf.data.Dataset.from_tensor_slices(digits).map(prepare).cache()
         .shuffle(1797, seed=71).batch(BATCH, drop_remainder=True))

generator = keras.Sequential([
    keras.Input((LATENT,)),
    layers.Dense(96, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="tanh"),
    layers.Reshape((8, 8, 1)),
], name="generator")

discriminator = keras.Sequential([
    keras.Input((FULL, FULL, 1)),
    layers.Flatten(),
    layers.Dense(128),
    layers.LeakyReLU(0.2),
    layers.Dense(64),
    layers.LeakyReLU(0.2),
    layers.Dense(1),
], name="discriminator")

g_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
d_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)


@tf.function
def train_discriminator(real):
    fake = to_full_size(generator(tf.random.normal([BATCH, LATENT]), training=True))
    with tf.GradientTape() as tape:
        real_logits = discriminator(real, training=True)
        fake_logits = discriminator(fake, training=True)
        loss = tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(tf.nn.softplus(fake_logits))
    weights = discriminator.trainable_variables
    d_opt.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


@tf.function
def train_generator():
    with tf.GradientTape() as tape:
        fake = to_full_size(generator(tf.random.normal([BATCH, LATENT]), training=True))
        loss = tf.reduce_mean(tf.nn.softplus(-discriminator(fake, training=True)))
    weights = generator.trainable_variables
    g_opt.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


for epoch in range(14):
    for real in train:
        d_loss = train_discriminator(real)
        g_loss = train_generator()
    print(f"epoch {epoch + 1}  d {float(d_loss):.5f}  g {float(g_loss):.3f}")
