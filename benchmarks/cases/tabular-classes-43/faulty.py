import numpy as np
import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_wine

keras.utils.set_random_seed(11)

data = load_wine()
features = ((data.data - data.data.mean(0)) / data.data.std(0)).astype("float32")
labels = data.target.astype("int32")
N_FEATURES, N_CLASSES, NOISE = features.shape[1], 3, 8


class RowGenerator(keras.Model):
    def __init__(self):
        super().__init__(name="row_generator")
        self.embed = layers.Embedding(N_CLASSES, 4)
        self.h1 = layers.Dense(48, activation="relu")
        self.h2 = layers.Dense(48, activation="relu")
        self.row = layers.Dense(N_FEATURES)

    def call(self, inputs):
        z, y = inputs
        h = tf.concat([z, self.embed(y)], axis=1)
        return self.row(self.h2(self.h1(h)))


class ProjectionCritic(keras.Model):
    def __init__(self):
        super().__init__(name="projection_critic")
        self.h1 = layers.Dense(48, activation="leaky_relu")
        self.h2 = layers.Dense(24, activation="leaky_relu")
        self.embed = layers.Embedding(N_CLASSES, 24)
        self.score = layers.Dense(1)

    def call(self, inputs):
        x, y = inputs
        h = self.h2(self.h1(x))
        score = self.score(h)
        match = tf.reduce_sum(h * self.embed(y), axis=1, keepdims=True)
        return score


class ConditionalGAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.gen = RowGenerator()
        self.critic = ProjectionCritic()
        self.g_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)
        self.c_opt = keras.optimizers.Adam(5e-4, beta_1=0.5)

    def train_step(self, batch):
        x, y = batch
        z = tf.random.normal((tf.shape(x)[0], NOISE))
        with tf.GradientTape() as tape:
            real = self.critic((x, y))
            fake = self.critic((self.gen((z, y)), y))
            c_loss = tf.reduce_mean(tf.nn.relu(1.0 - real)) + tf.reduce_mean(tf.nn.relu(1.0 + fake))
        grads = tape.gradient(c_loss, self.critic.trainable_weights)
        self.c_opt.apply_gradients(zip(grads, self.critic.trainable_weights))

        z = tf.random.normal((tf.shape(x)[0], NOISE))
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(self.critic((self.gen((z, y)), y)))
        grads = tape.gradient(g_loss, self.gen.trainable_weights)
        self.g_opt.apply_gradients(zip(grads, self.gen.trainable_weights))
        return {"c_loss": c_loss, "g_loss": g_loss}


gan = ConditionalGAN()
gan.compile()
gan.fit(tf.data.Dataset.from_tensor_slices((features, labels)).shuffle(200).batch(32), epochs=25, verbose=0)

for c in range(N_CLASSES):
    rows = gan.gen((tf.random.normal((200, NOISE)), tf.fill((200,), c))).numpy()
    real = features[labels == c]
    print(f"class {c}: real mean {real[:, :3].mean(0).round(2)}  generated {rows[:, :3].mean(0).round(2)}")
