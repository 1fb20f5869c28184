//! Colour spaces: ICC profiles in three kinds, and the chunks of PNG in their order (PNG, third edition, 4.3).

use image::DynamicImage;
use moxcms::ColorProfile;

use super::files::{Chunk, icc_chunk, icc_segment, jpeg, png, smooth, webp};
use super::shapes::translucent;
use super::{Case, case};

const CICP_SRGB: [u8; 4] = [1, 13, 0, 1];
const CICP_P3: [u8; 4] = [12, 13, 0, 1];
const CICP_BT2020: [u8; 4] = [9, 14, 0, 1];

pub(super) fn cases() -> Vec<Case> {
    [profiles(), chunks(), ignored()].into_iter().flatten().collect()
}

fn icc(profile: &ColorProfile) -> Vec<u8> {
    profile.encode().unwrap()
}

fn picture() -> DynamicImage {
    smooth(96, 64).into()
}

fn profiles() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, profile) in [
        ("sRGB", icc(&ColorProfile::new_srgb())),
        ("Display P3", icc(&ColorProfile::new_display_p3())),
        ("Adobe RGB", icc(&ColorProfile::new_adobe_rgb())),
        ("ProPhoto RGB", icc(&ColorProfile::new_pro_photo_rgb())),
        ("BT.2020", icc(&ColorProfile::new_bt2020())),
        ("a table", table(b"A2B0")),
        ("another table", table(b"A2B1")),
    ] {
        cases.extend([
            case(format!("jpeg in {name}"), "image/jpeg", jpeg(picture(), &[icc_segment(&profile)])),
            case(format!("png in {name}"), "image/png", png(picture(), &[icc_chunk(&profile)])),
            case(format!("webp in {name}"), "image/webp", webp(picture(), None, Some(profile.clone()))),
            case(format!("translucent png in {name}"), "image/png", png(translucent(96, 64), &[icc_chunk(&profile)])),
            case(format!("png of 16 bits in {name}"), "image/png", png(picture().to_rgb16(), &[icc_chunk(&profile)])),
            case(format!("grey png in {name}"), "image/png", png(picture().to_luma8(), &[icc_chunk(&profile)])),
            case(format!("grey jpeg in {name}"), "image/jpeg", jpeg(picture().to_luma8(), &[icc_segment(&profile)])),
        ]);
    }
    let grey = icc(&ColorProfile::new_gray_with_gamma(1.4));
    cases.extend([
        case("grey png in grey", "image/png", png(picture().to_luma8(), &[icc_chunk(&grey)])),
        case("grey png with alpha in grey", "image/png", png(picture().to_luma_alpha8(), &[icc_chunk(&grey)])),
        case("grey jpeg in grey", "image/jpeg", jpeg(picture().to_luma8(), &[icc_segment(&grey)])),
    ]);
    cases
}

/// A profile with its colours in a table, which turns and dampens them (ICC.1:2022, 10.10).
fn table(name: &[u8; 4]) -> Vec<u8> {
    const GRID: u8 = 9;
    let mut table = b"mft2\0\0\0\0\x03\x03".to_vec();
    table.extend([GRID, 0]);
    for at in 0..9 {
        table.extend(if at % 4 == 0 { 0x1_0000_u32 } else { 0 }.to_be_bytes());
    }
    table.extend([0, 2, 0, 2]);
    let ends = [0_u16, u16::MAX].map(u16::to_be_bytes).concat().repeat(3);
    table.extend(&ends);
    let levels = || (0..GRID).map(|level| f64::from(level) / f64::from(GRID - 1));
    for red in levels() {
        for green in levels() {
            for blue in levels() {
                // Lab in the encoding of version 2: lightness up to 0xff00, and zero at 0x8000.
                let lightness = (red + green + blue) / 3.0 * f64::from(0xff00);
                let opponents = [red - green, green - blue].map(|opponent| 32768.0 + opponent * 256.0 * 40.0);
                for value in [lightness, opponents[0], opponents[1]] {
                    table.extend((value as u16).to_be_bytes());
                }
            }
        }
    }
    table.extend(&ends);
    let mut profile = icc(&ColorProfile::new_srgb())[..128].to_vec();
    // Version 2.
    profile[8..12].copy_from_slice(&[2, 0x40, 0, 0]);
    profile[20..24].copy_from_slice(b"Lab ");
    profile.extend(1_u32.to_be_bytes());
    profile.extend([&name[..], &144_u32.to_be_bytes(), &(table.len() as u32).to_be_bytes()].concat());
    profile.extend(table);
    let length = profile.len() as u32;
    profile[..4].copy_from_slice(&length.to_be_bytes());
    profile
}

/// White, red, green and blue in hundred thousandths.
fn chromaticities(points: [[u32; 2]; 4]) -> Chunk {
    (b"cHRM", points.concat().into_iter().flat_map(u32::to_be_bytes).collect())
}

fn gamma(value: u32) -> Chunk {
    (b"gAMA", value.to_be_bytes().to_vec())
}

fn chunks() -> Vec<Case> {
    let cicp = |points: [u8; 4]| (b"cICP", points.to_vec());
    let srgb = || (b"sRGB", vec![0]);
    let p3 = || chromaticities([[31270, 32900], [68000, 32000], [26500, 69000], [15000, 6000]]);
    let usual = || chromaticities([[31270, 32900], [64000, 33000], [30000, 60000], [15000, 6000]]);
    let adobe = || icc_chunk(&icc(&ColorProfile::new_adobe_rgb()));
    let all: Vec<(&str, Vec<Chunk>)> = vec![
        ("sRGB", vec![srgb()]),
        ("gAMA of sRGB", vec![gamma(45455)]),
        ("gAMA of 1.0", vec![gamma(100_000)]),
        ("gAMA of 1.8", vec![gamma(55556)]),
        ("gAMA and cHRM of sRGB", vec![gamma(45455), usual()]),
        ("gAMA and cHRM of P3", vec![gamma(45455), p3()]),
        ("gAMA of 1.0 and cHRM of P3", vec![gamma(100_000), p3()]),
        ("cHRM of P3", vec![p3()]),
        ("gAMA of 1.0, cHRM of P3 and sRGB", vec![gamma(100_000), p3(), srgb()]),
        ("iCCP and gAMA of 1.0", vec![gamma(100_000), adobe()]),
        ("cICP of P3", vec![cicp(CICP_P3)]),
        ("cICP of BT.2020", vec![cicp(CICP_BT2020)]),
        ("cICP of P3 and iCCP of Adobe", vec![cicp(CICP_P3), adobe()]),
        ("cICP of sRGB and gAMA of 1.0", vec![cicp(CICP_SRGB), gamma(100_000)]),
        ("cICP of P3 and sRGB", vec![cicp(CICP_P3), srgb()]),
        ("cICP of the transfer of BT.709", vec![cicp([1, 1, 0, 1])]),
        ("cICP of the narrow range", vec![cicp([12, 13, 0, 0])]),
        ("gAMA of 0", vec![gamma(0)]),
    ];
    let of = |(name, chunks): (&str, Vec<_>)| {
        [
            case(format!("png with {name}"), "image/png", png(picture(), &chunks)),
            case(format!("translucent png with {name}"), "image/png", png(translucent(96, 64), &chunks)),
            case(format!("grey png with {name}"), "image/png", png(picture().to_luma8(), &chunks)),
        ]
    };
    all.into_iter().flat_map(of).collect()
}

/// Profiles that are broken, or of another kind of picture.
fn ignored() -> Vec<Case> {
    let p3 = icc(&ColorProfile::new_display_p3());
    let grey = icc(&ColorProfile::new_gray_with_gamma(1.4));
    let mut of_inks = p3.clone();
    of_inks[16..20].copy_from_slice(b"CMYK");
    let named = [("a cut profile", p3[..150].to_vec()), ("a profile of inks", of_inks), ("a grey profile", grey)];
    let of = |(name, profile): (&str, Vec<u8>)| {
        [
            case(format!("jpeg in {name}"), "image/jpeg", jpeg(picture(), &[icc_segment(&profile)])),
            case(format!("png in {name}"), "image/png", png(picture(), &[icc_chunk(&profile)])),
            case(format!("webp in {name}"), "image/webp", webp(picture(), None, Some(profile))),
        ]
    };
    named.into_iter().flat_map(of).collect()
}
