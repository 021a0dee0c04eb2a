"""Numbers and lengths as people write them."""

import re
from decimal import Decimal, localcontext
from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schedframe import ConfigError, Schedule
from schedframe._units.lengths import parse_length, parse_measure
from schedframe._units.numbers import parse_number

LENGTHS = [
    ("2000", 2000),
    ("0", 0),
    ("-0", 0),
    ("+5", 5),
    (" 12 ", 12),
    ("1_000_000", 1_000_000),
    ("2e9", 2_000_000_000),
    ("2E9", 2_000_000_000),
    ("2e+9", 2_000_000_000),
    ("15e-1", 1.5),
    (".5", 0.5),
    ("5.", 5),
    ("1_0.2_5", 10.25),
    ("1k", 1000),
    ("1K", 1000),
    ("500M", 500_000_000),
    ("500 M", 500_000_000),
    ("2.5M", 2_500_000),
    ("0.1K", 100),
    ("1.2345K", 1234.5),
    ("3b", 3_000_000_000),
    ("1_000B", 1_000_000_000_000),
    ("15T", 15_000_000_000_000),
    ("1.7t", 1_700_000_000_000),
    ("1e3k", 1_000_000),
    (7, 7),
    (0, 0),
    (7.0, 7),
    (-0.0, 0),
    (0.5, 0.5),
    (1e15, 10**15),
    (2**60 + 1, 2**60 + 1),
    (Decimal("2.50"), 2.5),
    (Fraction(3, 2), 1.5),
]

NOT_NUMBERS = [
    True,
    False,
    None,
    "",
    " ",
    "10 %x",
    "abc",
    "NaN",
    "nan",
    "inf",
    "-inf",
    "Infinity",
    "1e",
    "e5",
    ".",
    "-",
    "1__0",
    "_1",
    "1_",
    "1._5",
    "1_.5",
    "--5",
    "+-5",
    "0x10",
    "1 000",
    "1,000",
    "٣",
    "１２",  # noqa: RUF001
    "½",
    "5\n6",
    "1e1_0",
    "1.2.3",
    "1e5.5",
    [],
    [1],
    {},
    print,
    1j,
    nan,
    inf,
    -inf,
    b"5",
]

NO_LENGTH = (
    "(is not a length(: there is no unit '[A-Za-z]+', only .*| such as 2000, 500M, 2000 iters or 10%)"
    "|is not a finite number|has no value"
    "|is (a percentage|in samples), where only a number of the scheduler's own steps can stand)"
)
TOO_LARGE = ["1e999", "1e999999999", "-1e999", "9" * 400, "1e301", "1e9999999999999999999", 10**400, -(10**400)]


def names(values):
    return [repr(value)[:24] for value in values]


@pytest.mark.parametrize(("written", "steps"), LENGTHS, ids=names([written for written, _ in LENGTHS]))
def test_a_length_is_read_as_it_is_written(written, steps):
    read = parse_length(written)
    assert read == steps
    assert type(read) is type(steps)


NOT_PLAIN = ["K", "5 MM", "5MK", "M5", "5e", "5%", "5KiB", "5G", "5 samples", "5samplers"]


@pytest.mark.parametrize("value", [*NOT_NUMBERS, *NOT_PLAIN], ids=repr)
def test_what_is_no_length_is_refused(value):
    with pytest.raises(ValueError, match=rf"^{NO_LENGTH}$"):
        parse_length(value)


@pytest.mark.parametrize("value", ["-5", "-1K", "-0.5", -5, -0.5, "-1e-9"], ids=repr)
def test_a_length_below_zero_is_refused(value):
    with pytest.raises(ValueError, match=r"^must not be negative$"):
        parse_length(value)


@pytest.mark.parametrize("value", TOO_LARGE, ids=names(TOO_LARGE))
def test_what_no_float_can_hold_is_refused_at_once(value):
    for parse in (parse_length, parse_number):
        with pytest.raises(ValueError, match=r"^is too large$"):
            parse(value)


def test_a_suffix_does_not_lift_a_length_over_the_limit():
    with pytest.raises(ValueError, match=r"^is too large$"):
        parse_length("1e100T")


@pytest.mark.parametrize("value", ["1e-999999999", "1e-9999999999999999999", 0.0], ids=repr)
def test_what_is_too_small_to_matter_is_zero(value):
    assert parse_number(value) == 0.0
    assert parse_length(value) == 0


NUMBERS = [("1e-4", 1e-4), ("3E-4", 3e-4), (" -2.5 ", -2.5), ("1_000", 1000.0), (3, 3.0), (0.1, 0.1), ("+.5", 0.5)]


@pytest.mark.parametrize(("written", "number"), NUMBERS, ids=names([written for written, _ in NUMBERS]))
def test_a_number_may_be_quoted(written, number):
    assert parse_number(written) == number
    assert type(parse_number(written)) is float


@pytest.mark.parametrize("value", [*NOT_NUMBERS, "1K", "10%"], ids=repr)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match=r"^(is not a( finite)? number|has no value)$"):
        parse_number(value)


@pytest.mark.parametrize("make", ["np.True_", "np.array([1.0, 2.0])", "np.array(['x'])"])
def test_numpy_values_that_are_no_number_are_refused(make):
    np = pytest.importorskip("numpy")
    value = eval(make, {"np": np})
    for parse in (parse_number, parse_length):
        with pytest.raises(ValueError, match=r"^is not a (number|length)"):
            parse(value)


def test_numpy_scalars_are_numbers():
    np = pytest.importorskip("numpy")
    assert parse_number(np.float32(0.5)) == 0.5
    assert parse_length(np.int64(2**53 + 1)) == 2**53 + 1
    assert type(parse_length(np.int64(5))) is int


@given(st.integers(0, 10**27))
def test_a_whole_number_stays_exact(steps):
    assert parse_length(steps) == steps
    assert type(parse_length(steps)) is int
    assert parse_length(str(steps)) == steps
    assert parse_length(f"{steps:_}") == steps


@given(st.floats(0, 1e100, allow_nan=False))
def test_a_float_keeps_its_value_and_is_an_int_exactly_where_it_is_whole(number):
    steps = parse_length(number)
    assert steps == number
    assert isinstance(steps, int) == number.is_integer()


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e100, max_value=1e100))
def test_a_quoted_number_is_the_float_that_python_reads(number):
    assert parse_number(repr(number)) == number


@given(
    st.decimals(0, 999, places=6, allow_nan=False, allow_infinity=False),
    st.sampled_from(["k", "K", "m", "M", "b", "B", "t", "T"]),
)
def test_a_suffix_multiplies_by_its_power_of_ten(digits, suffix):
    exact = digits * 10 ** (3 * (1 + "KMBT".index(suffix.upper())))
    assert parse_length(f"{digits:f}{suffix}") == (int(exact) if exact == int(exact) else float(exact))


def test_a_thousand_trillions_and_more_are_not_a_length():
    fault = r"^is 5e\+19, because T is trillions; tokens are written `50_000_000 tokens`$"
    with pytest.raises(ValueError, match=fault):
        parse_length("50_000_000t")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("2000 steps", "; a plain number counts the scheduler's steps, and iterations of training are `iters`"),
        ("100ba", "; batches are `iters`"),
        ("10 itres", "; did you mean 'iters'?"),
        ("10 parsecs", ""),
    ],
)
def test_an_unknown_unit_is_answered_with_the_known_ones(written, says):
    with pytest.raises(ValueError, match=rf"no unit .*, only iters, samples, tokens and epochs{re.escape(says)}$"):
        parse_length(written)


@given(st.text(max_size=12))
@example("1e999999999")
@example("0e-999999999999999999999")
@example("\u0661")
def test_any_text_is_a_length_or_a_value_error(text):
    for parse in (parse_length, parse_number, lambda text: parse_measure(text).amount):
        try:
            value = parse(text)
        except ValueError as error:
            assert str(error).startswith(("is ", "must "))  # noqa: PT017
        else:
            assert value is None or abs(value) < inf


def test_the_decimal_context_of_the_program_does_not_matter():
    with localcontext() as context:
        context.prec = 3
        assert parse_length("123456789") == 123_456_789
        assert parse_length("1.23456M") == 1_234_560
        assert float(parse_measure("12.3456%").amount) == 0.123456


# Percentages

WHOLE_RUNS = st.one_of(st.integers(1, 10**15), st.floats(1e-3, 1e18))


@pytest.mark.parametrize(
    ("text", "share"),
    [("1%", 0.01), ("10 %", 0.1), (" 0.5% ", 0.005), ("100%", 1.0), ("0%", 0.0), ("1e1%", 0.1), ("33.3%", 0.333)],
)
def test_a_percentage_is_the_float_nearest_to_its_fraction(text, share):
    measure = parse_measure(text)
    assert (float(measure.amount), measure.unit) == (share, "%")


@pytest.mark.parametrize("text", ["%5", "5%5", "10 %x", "10% of", "10% of train", "10%of run"])
def test_what_does_not_end_in_a_percent_sign_is_no_percentage(text):
    with pytest.raises(ValueError, match=NO_LENGTH):
        parse_measure(text)


MEASURES = [
    ("2000 iters", 2000, "iters"),
    ("2000iters", 2000, "iters"),
    ("1 iter", 1, "iters"),
    ("2K Iterations", 2000, "iters"),
    ("1 iteration", 1, "iters"),
    ("10M samples", 10_000_000, "samples"),
    ("10Msamples", 10_000_000, "samples"),
    ("10 M samples", 10_000_000, "samples"),
    ("1 sample", 1, "samples"),
    ("500B tokens", 500 * 10**9, "tokens"),
    ("5tokens", 5, "tokens"),
    ("5T tokens", 5 * 10**12, "tokens"),
    ("5Ttoken", 5 * 10**12, "tokens"),
    ("2.5e3 tokens", 2500, "tokens"),
    ("3 epochs", 3, "epochs"),
    ("0.5 epoch", Fraction(1, 2), "epochs"),
    ("5%", Fraction(1, 20), "%"),
    ("5% of decay", Fraction(1, 20), "%"),
    (" 5 %  of  Run ", Fraction(1, 20), "% of run"),
    ("500M", 500_000_000, ""),
    (7, 7, ""),
]


@pytest.mark.parametrize(("written", "amount", "unit"), MEASURES, ids=names([written for written, _, _ in MEASURES]))
def test_a_length_may_say_its_unit(written, amount, unit):
    assert parse_measure(written) == (amount, unit)


@pytest.mark.parametrize("text", ["%", "x%", "--5%", "5%%", "nan%", "inf%", "5K%", "٣%", "1__0%"])
def test_a_percentage_that_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match=r"^is not a percentage such as 10%$"):
        parse_measure(text)


def test_a_negative_percentage_is_refused():
    with pytest.raises(ValueError, match=r"^must not be negative$"):
        parse_measure("-1%")


@pytest.mark.parametrize("text", ["1e999%", "1e999999999%"])
def test_an_enormous_percentage_is_refused(text):
    with pytest.raises(ValueError, match=r"^is too large$"):
        parse_measure(text)


@given(WHOLE_RUNS)
def test_one_percent_is_bit_equal_to_megatrons_fraction(decay):
    warmup = Schedule(max_lr=1, lr_decay_steps=decay, lr_warmup_steps="1%").lr_warmup_steps
    assert warmup == 0.01 * decay


@given(WHOLE_RUNS, st.decimals(0, 99, places=4, allow_nan=False, allow_infinity=False))
def test_p_percent_is_the_share_times_the_whole(decay, percent):
    warmup = Schedule(max_lr=1, lr_decay_steps=decay, lr_warmup_steps=f"{percent}%").lr_warmup_steps
    assert warmup == float(Decimal(percent) / 100) * decay
    assert isinstance(warmup, int) == float(warmup).is_integer()


@given(st.floats(1e-9, 1e3), st.integers(0, 100))
def test_a_percentage_of_max_lr_is_the_decimal_product(max_lr, percent):
    schedule = Schedule(max_lr=max_lr, lr_decay_steps=10, min_lr=f"{percent}%", init_lr=f"{percent}%")
    assert schedule.min_lr == schedule.init_lr == float(Fraction(repr(max_lr)) * percent / 100)


def test_ten_percent_of_max_lr_is_what_a_person_would_write():
    assert Schedule(max_lr=3e-4, lr_decay_steps=10, min_lr="10%").min_lr == 3e-5


@pytest.mark.parametrize("key", ["max_lr", "lr_decay_steps", "train_samples", "start_wd"])
def test_a_percentage_of_nothing_is_refused(key):
    keys = {"max_lr": 1, "lr_decay_steps": 10, key: "10%"}
    with pytest.raises(
        ConfigError,
        match=f"{key} = '10%': is (not a number|a percentage of itself|a percentage, where only a length of its own)",
    ):
        Schedule(**keys)


@pytest.mark.parametrize("value", TOO_LARGE, ids=names(TOO_LARGE))
@pytest.mark.parametrize("key", ["max_lr", "min_lr", "lr_decay_steps", "lr_warmup_steps", "start_wd", "wd_incr_steps"])
def test_a_schedule_refuses_what_no_float_can_hold(key, value):
    keys = {"max_lr": 1, "lr_decay_steps": 10, key: value}
    with pytest.raises(ConfigError, match=f"{key} = .*: is too large"):
        Schedule(**keys)


def test_a_decimal_beyond_all_floats_is_read_at_once():
    with pytest.raises(ConfigError, match=r"max_lr = .*: must be above 0"):
        Schedule(max_lr=Decimal("1e-99999999"), lr_decay_steps=1)


@pytest.mark.parametrize("value", [1e100, 1.1e100, 10**101, 10**5000, Decimal("1e99999999")], ids=range(5))
def test_a_length_near_the_largest_float_is_refused_or_runs(value):
    try:
        schedule = Schedule(max_lr=1, lr_decay_steps=value)
    except ConfigError as error:
        assert "is too large" in str(error)  # noqa: PT017
    else:
        assert schedule.lr_at(0) == 1.0
        assert schedule.lr_at(schedule.lr_decay_steps) == 0.0


def test_a_length_that_is_too_large_in_steps_is_refused() -> None:
    from schedframe import ConfigError, Schedule

    with pytest.raises(ConfigError, match=r"lr_decay_steps = '9e99 iters': is too large in the scheduler's steps"):
        Schedule(max_lr=1e-3, global_batch_size=1024, lr_decay_steps="9e99 iters")
