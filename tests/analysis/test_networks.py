"""Which networks a run has and which part each plays: the flow of data tells, never a name."""

from __future__ import annotations

import pytest

from ganmedic.analysis.networks import Net
from ganmedic.analysis.run import Run
from record.building import Network, Script

WIDTHS = ((4, 8), (8, 4))


def nets(run: Script) -> dict[str, Net]:
    return {net.name: net for net in Run(run.record.view()).nets}


def parts(run: Script) -> dict[str, str]:
    return {name: net.role for name, net in nets(run).items()}


# --- parts, whatever the names --------------------------------------------------------------------------------------------


def vanilla(run: Script, a: Network, b: Network) -> list[str]:
    with run.tape():
        b(run.data())
        b(a(run.noise()))
    return ["generator", "discriminator"]


def generator_first(run: Script, a: Network, b: Network) -> list[str]:
    fake = a(run.noise())
    run.op("AddV2", b(fake), b(run.data()))
    return ["generator", "discriminator"]


def real_and_fake_in_one_batch(run: Script, a: Network, b: Network) -> list[str]:
    b(run.op("ConcatV2", run.data(), a(run.noise())))
    return ["generator", "discriminator"]


def autoencoder_with_a_critic(run: Script, a: Network, b: Network, c: Network) -> list[str]:
    image = run.data()
    c(image)
    c(b(a(image)))
    return ["encoder", "generator", "discriminator"]


def cycle(run: Script, a: Network, b: Network, c: Network, d: Network) -> list[str]:
    horse, zebra = run.data(), run.data()
    fake_zebra, fake_horse = a(horse), b(zebra)
    b(fake_zebra), a(fake_horse)
    c(horse), c(fake_horse), d(zebra), d(fake_zebra)
    return ["generator", "generator", "discriminator", "discriminator"]


def translation_of_pairs(run: Script, a: Network, b: Network) -> list[str]:
    sketch, photo = run.data(), run.data()
    b(run.op("ConcatV2", sketch, photo))
    b(run.op("ConcatV2", sketch, a(sketch)))
    return ["generator", "discriminator"]


def mapping_before_the_generator(run: Script, a: Network, b: Network, c: Network) -> list[str]:
    c(b(a(run.noise()))), c(run.data())
    return ["generator", "generator", "discriminator"]


def traced(run: Script, a: Network, b: Network) -> list[str]:
    with run.function("step", 1) as graph:
        real = graph.inputs[0]
        graph.outputs = (run.op("AddV2", b(a(run.noise())), b(real)),)
    run.call(graph, run.data())
    return ["generator", "discriminator"]


def each_in_a_function_of_its_own(run: Script, a: Network, b: Network) -> list[str]:
    with run.function("make", 1) as make:
        make.outputs = (a(make.inputs[0]),)
    with run.function("judge", 1) as judge:
        judge.outputs = (b(judge.inputs[0]),)
    run.call(judge, run.call(make, run.noise()))
    run.call(judge, run.data())
    return ["generator", "discriminator"]


PLOTS = [
    vanilla,
    generator_first,
    real_and_fake_in_one_batch,
    autoencoder_with_a_critic,
    cycle,
    translation_of_pairs,
    mapping_before_the_generator,
    traced,
    each_in_a_function_of_its_own,
]
NAMES = {
    "fitting": ("generator", "discriminator", "critic", "judge"),
    "misleading": ("discriminator", "generator", "encoder", "real_generator"),
    "meaningless": ("net_1", "net_2", "net_3", "net_4"),
}


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.__name__)
def test_the_part_of_a_network_follows_from_what_it_reads_and_who_reads_it(plot, names):
    count = plot.__code__.co_argcount - 1
    run = Script()
    own = [run.model(name, *WIDTHS) for name in NAMES[names][:count]]
    expected = plot(run, *own)
    assert parts(run) == dict(zip(NAMES[names], expected, strict=False))


@pytest.mark.parametrize("names", NAMES)
def test_of_two_networks_that_numpy_parts_the_one_fed_with_noise_generates(names):
    first, second, *_ = NAMES[names]
    run = Script()
    run.model(first, *WIDTHS)(run.noise())
    run.model(second, *WIDTHS)(run.data())
    assert parts(run) == {first: "generator", second: "discriminator"}


def test_who_reads_whom_and_whether_anything_else_is_known():
    run = Script()
    vanilla(run, run.model("g", *WIDTHS), run.model("d", *WIDTHS))
    found = nets(run)
    assert (found["d"].reads, found["g"].read_by, found["g"].reads) == ({"g"}, {"d"}, set())
    assert (found["g"].noise, found["d"].mixed) == (True, True)


# --- what is a network ----------------------------------------------------------------------------------------------------


def test_networks_in_a_stacked_model_stay_two_networks():
    run = Script()
    g, d = run.model("g", *WIDTHS), run.model("d", *WIDTHS)
    gan = run.model("gan", parts=[g, d], kind="Functional")
    g(run.noise()), d(run.data())
    gan(run.noise())
    assert parts(run) == {"g": "generator", "d": "discriminator"}


def test_a_model_that_is_used_through_its_layers_is_the_network_not_each_layer():
    run = Script()
    inner = [run.layer(f"dense_{number}", (4, 4)) for number in range(3)]
    net = run.model("net", parts=inner, custom=True, kind="Net")
    net(run.data())
    (found,) = nets(run).values()
    assert (found.name, found.variables, found.module) == ("net", net.variables, net.row)


def test_variables_in_no_module_are_kept_together_by_the_lists_they_are_asked_for():
    run = Script("""
        with tf.GradientTape(persistent=True) as tape:
            loss = critic(generate(noise))
        tape.gradient(loss, g_weights)
        tape.gradient(loss, d_weights)
    """)
    g, d = [run.variable("g", (4, 4)) for _ in range(2)], [run.variable("d", (4, 4)) for _ in range(2)]

    def layers(value: int, weights: list[int]) -> int:
        for weight in weights:
            value = run.op("MatMul", value, run.read(weight))
        return value

    with run.at("with tf").tape() as tape:
        real = layers(run.data(), d)
        loss = run.at("loss =").op("Mean", run.op("Sub", layers(layers(run.noise(), g), d), real))
    run.at("g_weights").gradient(tape, loss, g)
    run.at("d_weights").gradient(tape, loss, d)
    assert parts(run) == {"g_weights": "generator", "d_weights": "discriminator"}
    assert nets(run)["g_weights"].variables == tuple(g)


def test_layers_at_work_in_a_model_that_does_not_track_them_are_a_network_of_their_own():
    run = Script()
    hidden = run.layer("dense", (4, 4))
    net = run.model("net", (4, 4), custom=True, kind="Net")
    with net.calling(value := run.data()) as call:
        call.outputs = (hidden(value),)
    assert {name: found.variables for name, found in nets(run).items()} == {
        "net": net.variables,
        "untracked layers of net": hidden.variables,
    }


# --- names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("sequential_3", "Sequential", "maker"),
        ("functional", "Functional", "maker"),
        ("small_critic", "SmallCritic", "maker"),
        ("portrait", "Sequential", "portrait"),
        ("", "Sequential", "maker"),
    ],
)
def test_a_network_is_called_what_the_script_calls_it_unless_it_was_given_a_name(name, kind, expected):
    run = Script("maker = keras.Sequential([Dense(8)])")
    run.at("maker =").model(name, *WIDTHS, kind=kind)(run.data())
    assert list(nets(run)) == [expected]


def test_two_networks_of_one_name_are_told_apart():
    run = Script()
    for _ in range(2):
        run.model("net", *WIDTHS)(run.data())
    assert list(nets(run)) == ["net", "net_2"]
