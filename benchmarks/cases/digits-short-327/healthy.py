import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(5)

STEPS = 30
BATCH = 64

digits = load_digits().data.astype("float32") / 8.0 - 1.0
batches = iter(tf.data.Dataset.from_tensor_slices(digits).shuffle(1797, seed=5).repeat().batch(BATCH))


def network(sizes, last=None):
    stack = [layers.Dense(s, activation="leaky_relu") for s in sizes[:-1]]
    return keras.Sequential(stack + [layers.Dense(sizes[-1], activation=last)])


maker = network([96, 128, 64], last="tanh")
critic = network([128, 64, 1])
maker_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)
critic_opt = keras.optimizers.Adam(1e-3, beta_1=0.5)

# here a low score means real: the critic pulls real below -1 and fake above +1, the maker goes for low scores
for step in range(STEPS):
    real = next(batches)
    z = tf.random.normal([BATCH, 16])
    with tf.GradientTape() as tape:
        fake_score = critic(maker(z))
        real_score = critic(real)
        critic_loss = tf.reduce_mean(tf.nn.relu(1.0 + real_score)) + tf.reduce_mean(tf.nn.relu(1.0 - fake_score))
    grads = tape.gradient(critic_loss, critic.trainable_variables)
    critic_opt.apply_gradients(zip(grads, critic.trainable_variables))

    with tf.GradientTape() as tape:
        maker_loss = tf.reduce_mean(critic(maker(tf.random.normal([BATCH, 16]))))
    grads = tape.gradient(maker_loss, maker.trainable_variables)
    maker_opt.apply_gradients(zip(grads, maker.trainable_variables))
    if step % 5 == 4:
        print(step + 1, "critic", float(critic_loss), "maker", float(maker_loss))
