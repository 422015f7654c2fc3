import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(55)
BATCH, Z, WEIGHT, N_CRITIC = 64, 4, 5.0, 2


def ring(n):
    t = np.random.uniform(0, 2 * np.pi, n)
    return (np.stack([np.cos(t), np.sin(t)], 1) + 0.05 * np.random.randn(n, 2)).astype("float32")


def network(n_in, n_out):
    return tf.keras.Sequential([
        tf.keras.Input((n_in,)),
        tf.keras.layers.Dense(32, activation="tanh"),
        tf.keras.layers.Dense(32, activation="tanh"),
        tf.keras.layers.Dense(n_out),
    ])


generator, critic = network(Z, 2), network(2, 1)
g_opt = tf.keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)
c_opt = tf.keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9)


def penalty(real, fake):
    eps = tf.random.uniform((BATCH, 1))
    mixed = eps * real + (1.0 - eps) * fake
    with tf.GradientTape() as inner:
        inner.watch(mixed)
        score = critic(mixed)
    slope = tf.sqrt(tf.reduce_sum(inner.gradient(score, mixed) ** 2, axis=1) + 1e-12)
    return tf.reduce_mean((slope - 1.0) ** 2)


def norm(grads):
    return float(tf.linalg.global_norm([g for g in grads if g is not None]))


for step in range(80):
    for _ in range(N_CRITIC):
        real = tf.constant(ring(BATCH))
        fake = generator(tf.random.normal((BATCH, Z)))
        with tf.GradientTape(persistent=True) as tape:
            wasserstein = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real))
            gp = penalty(real, fake)
        weights = critic.trainable_variables
        w_grads = tape.gradient(wasserstein, weights)
        p_grads = tape.gradient(gp, weights)
        del tape
        grads = [w if p is None else w + WEIGHT * p for w, p in zip(w_grads, p_grads)]
        c_opt.apply_gradients(zip(grads, weights))

    with tf.GradientTape() as tape:
        g_loss = -tf.reduce_mean(critic(generator(tf.random.normal((BATCH, Z)))))
    g_grads = tape.gradient(g_loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(g_grads, generator.trainable_variables))

    if step % 20 == 0:
        print(f"{step:3d} wasserstein {-float(wasserstein):.4f} gp {float(gp):.4f} "
              f"|w| {norm(w_grads):.3f} |gp| {norm(p_grads):.3f} |g| {norm(g_grads):.3f}")
