import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

tf.keras.utils.set_random_seed(122)


class ClippedWGAN:
    """Wasserstein GAN with the constants of the paper and a wide, shallow critic."""

    def __init__(self, n_pixels=64, z_dim=16, clip=0.01, lr=2e-4, n_critic=5):
        L = tf.keras.layers
        self.z_dim, self.clip, self.n_critic = z_dim, clip, n_critic
        self.critic = tf.keras.Sequential([
            tf.keras.Input((n_pixels,)),
            L.Dense(512, activation="relu"),
            L.Dense(1),
        ], name="critic")
        self.generator = tf.keras.Sequential([
            tf.keras.Input((z_dim,)),
            L.Dense(128, activation="relu"),
            L.Dense(128, activation="relu"),
            L.Dense(n_pixels, activation="tanh"),
        ], name="generator")
        self.critic_opt = tf.keras.optimizers.RMSprop(lr)
        self.gen_opt = tf.keras.optimizers.RMSprop(lr)

    def sample(self, n):
        return self.generator(tf.random.normal((n, self.z_dim)), training=True)

    @tf.function
    def critic_step(self, real):
        fake = self.sample(tf.shape(real)[0])
        with tf.GradientTape() as tape:
            gap = tf.reduce_mean(self.critic(real)) - tf.reduce_mean(self.critic(fake))
            loss = -gap
        variables = self.critic.trainable_variables
        self.critic_opt.apply_gradients(zip(tape.gradient(loss, variables), variables))
        for v in variables:
            v.assign(tf.clip_by_value(v, -self.clip, self.clip))
        return gap

    @tf.function
    def generator_step(self, n):
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(self.critic(self.sample(n)))
        variables = self.generator.trainable_variables
        grads = tape.gradient(loss, variables)
        self.gen_opt.apply_gradients(zip(grads, variables))
        return tf.linalg.global_norm(grads)

    def fit(self, images, steps, batch=64):
        ds = iter(tf.data.Dataset.from_tensor_slices(images).shuffle(2000, seed=1).repeat().batch(batch))
        gaps = []
        for step in range(steps):
            for _ in range(self.n_critic):
                gap = self.critic_step(next(ds))
            norm = self.generator_step(batch)
            gaps.append(float(gap))
            if step % 25 == 0 or step == steps - 1:
                print("step %3d  gap %.4f  generator gradient %.4f" % (step, gaps[-1], float(norm)))
        return gaps


images = (load_digits().data / 8.0 - 1.0).astype("float32")
wgan = ClippedWGAN()
gaps = wgan.fit(images, steps=120)
print("gap at first and at last", gaps[0], gaps[-1])
fakes = wgan.sample(1000).numpy()
print("distance of the mean pictures", float(np.abs(fakes.mean(0) - images.mean(0)).mean()))
