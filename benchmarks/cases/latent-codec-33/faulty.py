import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

# Learned image compression: every bottleneck value is snapped to one of five levels.
keras.utils.set_random_seed(5)
LEVELS = tf.constant([-2.0, -1.0, 0.0, 1.0, 2.0])
SIGMA = 1.0


def quantize(w):
    distance = tf.square(tf.expand_dims(w, -1) - LEVELS)
    soft = tf.reduce_sum(tf.nn.softmax(-distance / SIGMA, axis=-1) * LEVELS, axis=-1)
    hard = tf.gather(LEVELS, tf.argmin(distance, axis=-1))
    return tf.round(tf.stop_gradient(hard - soft) + soft)


encoder = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(24, 3, strides=2, padding="same", activation="relu"),
    layers.Conv2D(4, 3, strides=2, padding="same"),
], name="encoder")

decoder = keras.Sequential([
    keras.Input((2, 2, 4)),
    layers.Conv2DTranspose(24, 4, strides=2, padding="same", activation="relu"),
    layers.Conv2DTranspose(24, 4, strides=2, padding="same", activation="relu"),
    layers.Conv2D(1, 3, padding="same", activation="tanh"),
], name="decoder")

critic = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(24, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv2D(48, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Flatten(),
    layers.Dense(1),
], name="critic")

codec_opt = keras.optimizers.Adam(2e-3)
critic_opt = keras.optimizers.Adam(1e-3)


@tf.function
def train_step(x):
    with tf.GradientTape() as codec_tape, tf.GradientTape() as critic_tape:
        code = quantize(encoder(x, training=True))
        y = decoder(code, training=True)
        on_real, on_fake = critic(x, training=True), critic(y, training=True)
        distortion = tf.reduce_mean(tf.square(x - y))
        codec_loss = 10.0 * distortion + tf.reduce_mean(tf.square(on_fake - 1.0))
        critic_loss = tf.reduce_mean(tf.square(on_real - 1.0)) + tf.reduce_mean(tf.square(on_fake))
    variables = encoder.trainable_variables + decoder.trainable_variables
    codec_opt.apply_gradients(zip(codec_tape.gradient(codec_loss, variables), variables))
    critic_opt.apply_gradients(
        zip(critic_tape.gradient(critic_loss, critic.trainable_variables), critic.trainable_variables))
    return distortion, critic_loss


x = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")
data = tf.data.Dataset.from_tensor_slices(x).shuffle(1797, seed=1).batch(64, drop_remainder=True)
for epoch in range(5):
    for batch in data:
        distortion, critic_loss = train_step(batch)
    print(f"epoch {epoch + 1}: distortion {float(distortion):.4f}  critic {float(critic_loss):.4f}")
print("levels used:", sorted(set(quantize(encoder(x)).numpy().ravel().tolist())))
