import numpy as np
import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(66)

digits = load_digits()
X = ((digits.data - 8.0) / 8.0).astype("float32")
Y = digits.target.astype("int32")
Z, B, CLASSES = 16, 64, 10

noise_in, label_in = keras.Input((Z,)), keras.Input((), dtype="int32")
h = layers.Concatenate()([noise_in, layers.Embedding(CLASSES, 8)(label_in)])
h = layers.Dense(96, activation="relu")(h)
h = layers.Dense(96, activation="relu")(h)
G = keras.Model([noise_in, label_in], layers.Dense(64, activation="tanh")(h), name="G")

image_in = keras.Input((64,))
h = layers.Dense(96, activation="leaky_relu")(image_in)
h = layers.Dropout(0.2)(h)
h = layers.Dense(48, activation="leaky_relu")(h)
D = keras.Model(image_in, [layers.Dense(1)(h), layers.Dense(CLASSES)(h)], name="D")

bce = keras.losses.BinaryCrossentropy(from_logits=True)
cce = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
opt_g = keras.optimizers.Adam(2e-3, beta_1=0.5)
opt_d = keras.optimizers.Adam(5e-4, beta_1=0.5)
log = {"d": [], "g": [], "acc_real": [], "acc_fake": [], "pixel_std": []}

for step in range(140):
    rows = np.random.randint(0, len(X), B)
    real, labels = tf.constant(X[rows]), tf.constant(Y[rows])
    wanted = np.random.randint(0, CLASSES, B).astype("int32")
    noise = np.random.normal(size=(B, Z)).astype("float32")

    fake = G.predict_on_batch([noise, wanted])
    with tf.GradientTape() as tape:
        real_score, real_class = D(real, training=True)
        fake_score, fake_class = D(fake, training=True)
        d_loss = (bce(tf.ones_like(real_score), real_score) + bce(tf.zeros_like(fake_score), fake_score)
                  + cce(labels, real_class))
        predicted = tf.argmax(real_class, axis=1, output_type=tf.int32)
        log["acc_real"].append(np.mean(predicted.numpy() == labels.numpy()))
        log["d"].append(d_loss.numpy())
    grads = tape.gradient(d_loss, D.trainable_variables)
    opt_d.apply_gradients(zip(grads, D.trainable_variables))

    with tf.GradientTape() as tape:
        fake = G([noise, wanted], training=True)
        score, klass = D(fake, training=True)
        g_loss = bce(tf.ones_like(score), score) + cce(wanted, klass)
        shown = np.clip(fake.numpy() * 127.5 + 127.5, 0, 255).astype("uint8")
        log["pixel_std"].append(shown.std())
        log["acc_fake"].append(np.mean(np.argmax(klass.numpy(), 1) == wanted))
        log["g"].append(float(g_loss))
    grads = tape.gradient(g_loss, G.trainable_variables)
    opt_g.apply_gradients(zip(grads, G.trainable_variables))

    if step % 20 == 19:
        print(step + 1, {k: round(float(np.mean(v[-20:])), 3) for k, v in log.items()})
