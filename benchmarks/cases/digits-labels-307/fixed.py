import tensorflow as tf
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(31)

data = load_digits()
x_all = data.data.astype("float32") / 8.0 - 1.0
y_all = data.target.astype("int32")
CLASSES = 10
NOISE = 16
BATCH = 50


class LabelledGenerator(keras.Model):
    def __init__(self):
        super().__init__(name="labelled_generator")
        self.embed = layers.Embedding(CLASSES, NOISE)
        self.hidden1 = layers.Dense(96)
        self.norm1 = layers.BatchNormalization()
        self.hidden2 = layers.Dense(128)
        self.norm2 = layers.BatchNormalization()
        self.pixels = layers.Dense(64, activation="tanh")

    def call(self, inputs, training=False):
        noise, label = inputs
        x = tf.concat([noise, self.embed(label)], axis=-1)
        x = tf.nn.relu(self.norm1(self.hidden1(x), training=training))
        x = tf.nn.relu(self.norm2(self.hidden2(x), training=training))
        return self.pixels(x)


class LabelledCritic(keras.Model):
    def __init__(self):
        super().__init__(name="labelled_critic")
        self.embed = layers.Embedding(CLASSES, 24)
        self.hidden1 = layers.Dense(128, activation="leaky_relu")
        self.hidden2 = layers.Dense(64, activation="leaky_relu")
        self.score = layers.Dense(1)

    def call(self, inputs):
        image, label = inputs
        x = tf.concat([image, self.embed(label)], axis=-1)
        return self.score(self.hidden2(self.hidden1(x)))


gen = LabelledGenerator()
dis = LabelledCritic()
opt_gen = keras.optimizers.Adam(1e-3, 0.5)
opt_dis = keras.optimizers.Adam(1e-3, 0.5)


@tf.function
def step(image, label):
    noise = tf.random.normal((BATCH, NOISE))
    with tf.GradientTape() as t1, tf.GradientTape() as t2:
        made = gen((noise, label), training=True)
        s_real = dis((image, label))
        s_made = dis((made, label))
        loss_dis = tf.reduce_mean(tf.nn.softplus(-s_real)) + tf.reduce_mean(tf.nn.softplus(s_made))
        loss_gen = tf.reduce_mean(tf.nn.softplus(-s_made))
    opt_dis.apply_gradients(zip(t1.gradient(loss_dis, dis.trainable_variables), dis.trainable_variables))
    opt_gen.apply_gradients(zip(t2.gradient(loss_gen, gen.trainable_variables), gen.trainable_variables))
    return loss_dis, loss_gen


ds = tf.data.Dataset.from_tensor_slices((x_all, y_all)).shuffle(1797, seed=2).batch(BATCH, drop_remainder=True)
for epoch in range(20):
    for image, label in ds:
        ld, lg = step(image, label)
    print(f"{epoch:02d}  dis {float(ld):.3f}  gen {float(lg):.3f}")

threes = gen((tf.random.normal((20, NOISE)), tf.fill((20,), 3))).numpy()
print("spread of twenty threes:", threes.std(axis=0).mean(), "in the data:", x_all[y_all == 3].std(axis=0).mean())
