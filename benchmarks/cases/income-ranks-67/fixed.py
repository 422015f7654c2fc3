import numpy as np
import tensorflow as tf
from tensorflow import keras

keras.utils.set_random_seed(91)

# Skewed incomes and ages; the critic looks at both on a quantile scale
N, BATCH, Z = 3000, 100, 6
age = np.random.uniform(20, 65, N)
income = np.exp(0.02 * age + 0.4 * np.random.randn(N))
people = np.stack([income, age / 65.0], axis=1).astype("float32")
edges = tf.constant(np.quantile(income, np.linspace(0.01, 0.99, 50)), tf.float32)
levels = tf.linspace(0.0, 1.0, 51)


class Quantile(keras.layers.Layer):
    def call(self, rows):
        level = tf.reduce_mean(tf.sigmoid((rows[:, :1] - edges) / 0.2), axis=1)
        return tf.stack([level, rows[:, 1]], axis=1)


def make_critic():
    return keras.Sequential([
        keras.Input((2,)),
        Quantile(),
        keras.layers.Dense(64, activation="leaky_relu"),
        keras.layers.Dense(64, activation="leaky_relu"),
        keras.layers.Dense(1),
    ], name="critic")


def make_generator():
    z = keras.Input((Z,))
    left = keras.layers.Dense(32, activation="relu", name="income_hidden")(z)
    left = keras.layers.Dense(1, activation="softplus", name="income")(left)
    right = keras.layers.Dense(32, activation="relu", name="age_hidden")(z)
    right = keras.layers.Dense(1, activation="sigmoid", name="age")(right)
    return keras.Model(z, keras.layers.Concatenate()([left, right]), name="generator")


critic, generator = make_critic(), make_generator()
critic_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
generator_optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)


@tf.function
def critic_step(real):
    fake = generator(tf.random.normal((BATCH, Z)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((critic(real) - 1.0) ** 2) + tf.reduce_mean(critic(fake) ** 2)
    grads = tape.gradient(loss, critic.trainable_variables)
    critic_optimizer.apply_gradients(zip(grads, critic.trainable_variables))
    return loss


@tf.function
def generator_step():
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((critic(generator(tf.random.normal((BATCH, Z)))) - 1.0) ** 2)
    grads = tape.gradient(loss, generator.trainable_variables)
    generator_optimizer.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


dataset = tf.data.Dataset.from_tensor_slices(people).shuffle(N).batch(BATCH, drop_remainder=True)
for epoch in range(6):
    for batch in dataset:
        c_loss, g_loss = critic_step(batch), generator_step()
    rows = generator(tf.random.normal((1000, Z))).numpy()
    print(f"epoch {epoch}: critic {float(c_loss):.3f} generator {float(g_loss):.3f} "
          f"median income {np.median(rows[:, 0]):.2f} (data {np.median(income):.2f})")
