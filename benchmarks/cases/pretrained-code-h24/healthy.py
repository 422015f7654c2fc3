import numpy as np
import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(47)
CODE, Z, BATCH = 8, 8, 64
x = (load_digits().data / 16.0).astype("float32")


def mlp(n_in, hidden, n_out, last=None, name=None):
    return keras.Sequential([keras.Input((n_in,)), layers.Dense(hidden, "elu"), layers.Dense(hidden, "elu"),
                             layers.Dense(n_out, last)], name=name)


encoder = mlp(64, 64, CODE, "tanh", "encoder")
decoder = mlp(CODE, 64, 64, "sigmoid", "decoder")
generator = mlp(Z, 32, CODE, "tanh", "generator")
critic = mlp(64, 64, 1, None, "critic")
features = keras.Sequential([keras.Input((64,)), layers.Dense(40, "relu"), layers.Dense(20)], name="features")
features.trainable = False


def batch():
    return tf.constant(x[np.random.randint(0, len(x), BATCH)])


# stage 1: reconstruction
auto = keras.Sequential([encoder, decoder])
auto.compile(keras.optimizers.Adam(2e-3), loss="mse")
for i in range(120):
    real = batch()
    mse = auto.train_on_batch(real, real)
print("reconstruction", round(float(mse), 4))

# stage 2: the generator learns to write codes, the decoder stays as it is
opt_g, opt_c = keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5)


def adversarial(generator_variables, optimizer, perceptual=0.0):
    real, z = batch(), tf.random.normal((BATCH, Z))
    with tf.GradientTape() as tc:
        out_real, out_fake = critic(real), critic(decoder(generator(z)))
        c_loss = tf.reduce_mean(tf.nn.softplus(-out_real) + tf.nn.softplus(out_fake))
    opt_c.apply_gradients(zip(tc.gradient(c_loss, critic.trainable_variables), critic.trainable_variables))
    with tf.GradientTape() as tg:
        g_loss = tf.reduce_mean(tf.nn.softplus(-critic(decoder(generator(z)))))
        if perceptual:
            g_loss += perceptual * tf.reduce_mean((features(decoder(encoder(real))) - features(real)) ** 2)
    optimizer.apply_gradients(zip(tg.gradient(g_loss, generator_variables), generator_variables))
    return c_loss, g_loss


for i in range(100):
    c_loss, g_loss = adversarial(generator.trainable_variables, opt_g)
print("stage 2: critic %.3f generator %.3f" % (float(c_loss), float(g_loss)))

# stage 3: everything
everything = generator.trainable_variables + decoder.trainable_variables + encoder.trainable_variables
opt_all = keras.optimizers.Adam(3e-4, beta_1=0.5)
for i in range(60):
    c_loss, g_loss = adversarial(everything, opt_all, perceptual=1.0)
print("stage 3: critic %.3f generator %.3f" % (float(c_loss), float(g_loss)))
