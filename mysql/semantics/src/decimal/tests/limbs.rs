use crate::decimal::limbs::Wide;
use rand::RngExt as _;
use rand::rngs::SmallRng;

/// Numbers of every length, with runs of ones and zeros: where carries and the
/// guesses of long division go wrong.
fn number(rng: &mut SmallRng, limbs: usize) -> Wide {
    let mut low = [0_u64; 5];
    let len = rng.random_range(1..=limbs);
    for limb in low.iter_mut().take(len) {
        *limb = match rng.random_range(0..5) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << 63,
            3 => rng.random_range(0..4),
            _ => rng.random(),
        };
    }
    Wide::from_limbs(&low)
}

#[test]
fn division_undoes_multiplication() {
    let mut rng = crate::random::generator();
    for _ in 0..50_000 {
        let divisor = number(&mut rng, 5);
        let quotient = number(&mut rng, 5);
        if divisor.is_zero() {
            continue;
        }
        let rest = number(&mut rng, 5).div_rem(&divisor).1;
        assert!(rest < divisor);
        // The product and the rest may pass 640 bits only where both have all five.
        let product = divisor.mul(&quotient);
        let whole = product.add(&rest);
        if whole < product {
            continue;
        }
        assert_eq!(whole.div_rem(&divisor), (quotient, rest), "{divisor:?} {quotient:?}");
        assert_eq!(whole.sub(&rest), product);
    }
}

#[test]
fn digits_are_counted() {
    assert_eq!(Wide::ZERO.digits(), 0);
    for n in 0..190 {
        let power = Wide::pow10(n);
        assert_eq!(power.digits(), n + 1);
        if n > 0 {
            assert_eq!(power.sub(&Wide::from_u128(1)).digits(), n);
        }
    }
}
