import numpy as np
import tensorflow as tf
import keras
from keras.layers import Dense, Input
from sklearn.datasets import load_digits

keras.utils.set_random_seed(28)


class Denoiser:
    def __init__(self, pixels=64, batch=50, l1_weight=2.0):
        self.batch = batch
        self.l1_weight = l1_weight
        self.gen = keras.Sequential([Input((pixels,)), Dense(128, "gelu"), Dense(128, "gelu"), Dense(pixels, "tanh")])
        self.disc = keras.Sequential([Input((pixels,)), Dense(96, "gelu"), Dense(48, "gelu"), Dense(1)])
        self.gen_opt = keras.optimizers.AdamW(1e-3, beta_1=0.5)
        self.disc_opt = keras.optimizers.AdamW(5e-4, beta_1=0.5)
        self.joint = tf.Variable(tf.zeros((2 * batch, pixels)), trainable=False)
        self.answers = tf.concat([tf.ones((batch, 1)), tf.zeros((batch, 1))], axis=0)

    @tf.function
    def step(self, noisy, target):
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            restored = self.gen(noisy)
            self.joint[:self.batch].assign(target)
            self.joint[self.batch:].assign(restored)
            score = self.disc(self.joint)

            cross = tf.nn.sigmoid_cross_entropy_with_logits
            d_loss = tf.reduce_mean(cross(labels=self.answers, logits=score))
            fool = score[self.batch:]
            adv = tf.reduce_mean(cross(labels=tf.ones_like(fool), logits=fool))
            l1 = tf.reduce_mean(tf.abs(restored - target))
            g_loss = adv + self.l1_weight * l1
        d_grads = d_tape.gradient(d_loss, self.disc.trainable_variables)
        g_grads = g_tape.gradient(g_loss, self.gen.trainable_variables)
        self.disc_opt.apply_gradients(zip(d_grads, self.disc.trainable_variables))
        self.gen_opt.apply_gradients(zip(g_grads, self.gen.trainable_variables))
        return {"disc": d_loss, "adv": adv, "l1": l1}


scans = (load_digits().data / 8.0 - 1.0).astype("float32")
model = Denoiser()
for epoch in range(8):
    order = np.random.permutation(len(scans))
    for i in range(0, len(order) - model.batch + 1, model.batch):
        target = scans[order[i:i + model.batch]]
        noisy = np.clip(target + 0.5 * np.random.randn(*target.shape), -1.0, 1.0).astype("float32")
        report = model.step(tf.constant(noisy), tf.constant(target))
    print("epoch", epoch + 1, {k: round(float(v), 4) for k, v in report.items()})
