import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(62)
x = (load_digits().images[..., None] / 8.0 - 1.0).astype("float32")


class LinearWarmup(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, peak, steps):
        self.peak, self.steps = peak, steps

    def __call__(self, step):
        return self.peak * tf.minimum(1.0, tf.cast(step, tf.float32) / self.steps)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps}


def make_generator():
    return keras.Sequential([
        keras.Input((16,)), layers.Dense(2 * 2 * 48, activation="relu"), layers.Reshape((2, 2, 48)),
        layers.Conv2DTranspose(24, 4, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")])


generator, averaged = make_generator(), make_generator()
averaged.set_weights(generator.get_weights())
averaged.trainable = False
critic = keras.Sequential([
    keras.Input((8, 8, 1)), layers.Conv2D(24, 3, strides=2, padding="same", activation="leaky_relu"),
    layers.Conv2D(48, 3, strides=2, padding="same", activation="leaky_relu"), layers.Flatten(), layers.Dense(1)])
g_opt = keras.optimizers.Adam(LinearWarmup(1e-3, 40), beta_1=0.5)
c_opt = keras.optimizers.Adam(LinearWarmup(1e-3, 40), beta_1=0.5)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


def update_average(decay=0.98):
    for slow, fast in zip(averaged.weights, generator.weights):
        slow.assign(decay * slow + (1.0 - decay) * fast)


@tf.function
def train_step(real):
    with tf.GradientTape() as gt, tf.GradientTape() as ct:
        fake = generator(tf.random.normal((64, 16)))
        r, f = critic(real), critic(fake)
        c_loss = bce(tf.ones_like(r), r) + bce(tf.zeros_like(f), f)
        g_loss = bce(tf.ones_like(f), f)
    c_opt.apply(ct.gradient(c_loss, critic.trainable_variables), critic.trainable_variables)
    g_opt.apply(gt.gradient(g_loss, generator.trainable_variables), generator.trainable_variables)
    update_average()
    return c_loss, g_loss


for step in range(160):
    c_loss, g_loss = train_step(tf.constant(x[np.random.randint(0, len(x), 64)]))
    if step % 40 == 0:
        print(step, "critic %.3f generator %.3f" % (float(c_loss), float(g_loss)))
print("averaged sample mean %.3f data mean %.3f"
      % (float(tf.reduce_mean(averaged(tf.random.normal((256, 16))))), x.mean()))
