import numpy as np
import keras
from keras.layers import Dense, Dropout, LeakyReLU
from sklearn.datasets import load_wine

keras.utils.set_random_seed(366)

wine = load_wine()
raw = wine.data
mean, std = raw.mean(axis=0), raw.std(axis=0)
table = ((raw - mean) / std).astype("float32")

NOISE = 16
N_FEATURES = table.shape[1]

g_model = keras.Sequential([
    keras.Input((NOISE,)),
    Dense(48), LeakyReLU(0.2),
    Dense(48), LeakyReLU(0.2),
    Dense(N_FEATURES),
])
d_model = keras.Sequential([
    keras.Input((N_FEATURES,)),
    Dense(64), LeakyReLU(0.2), Dropout(0.2),
    Dense(32), LeakyReLU(0.2),
    Dense(1, activation="sigmoid"),
])
d_model.compile(optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5), loss="binary_crossentropy")
d_model.trainable = False
noise_in = keras.Input((NOISE,))
gan = keras.Model(noise_in, d_model(g_model(noise_in)))
gan.compile(optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5), loss="binary_crossentropy")

BATCH = 32
for step in range(180):
    rows = table[np.random.randint(0, len(table), BATCH)]
    noise = np.random.normal(size=(BATCH, NOISE)).astype("float32")
    made = np.asarray(g_model(noise))
    d_model.trainable = True
    d_loss = d_model.train_on_batch(np.concatenate([rows, made]), np.r_[np.ones((BATCH, 1)), np.zeros((BATCH, 1))])
    d_model.trainable = False
    g_loss = gan.train_on_batch(np.random.normal(size=(BATCH, NOISE)).astype("float32"), np.ones((BATCH, 1)))
    if step % 20 == 0:
        print(f"{step:4d} d {float(d_loss):.3f} g {float(g_loss):.3f}")

made = g_model.predict(np.random.normal(size=(500, NOISE)).astype("float32"), verbose=0) * std + mean
for name, a, b in zip(wine.feature_names, raw.T, made.T):
    print(f"{name:30s} {a.mean():9.2f} +- {a.std():8.2f}   {b.mean():9.2f} +- {b.std():8.2f}")
