use image::RgbaImage;

use super::*;

/// A picture of one colour, converted.
fn converted(profile: &Profile, colour: [u8; 3]) -> [u8; 3] {
    let mut image = RgbaImage::from_pixel(1, 1, Rgba([colour[0], colour[1], colour[2], 255]));
    profile.convert(&mut image);
    let [red, green, blue, alpha] = image.get_pixel(0, 0).0;
    assert_eq!(alpha, 255);
    [red, green, blue]
}

fn assert_near(found: [u8; 3], expected: [u8; 3]) {
    let is_near = found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 2);
    assert!(is_near, "{found:?} is not {expected:?}");
}

fn icc(profile: &ColorProfile) -> Vec<u8> {
    profile.encode().unwrap()
}

#[test]
fn profiles_and_code_points_are_converted_to_srgb() {
    let p3 = icc(&ColorProfile::new_display_p3());
    let adobe = icc(&ColorProfile::new_adobe_rgb());
    // Computed with the matrices of display-p3 and a98-rgb in CSS Color 4, 10.
    for (profile, colour, expected) in [
        (Profile::of_icc(p3.clone(), false).unwrap(), [200, 100, 50], [215, 93, 31]),
        (Profile::of_code_points(12, 13).unwrap(), [200, 100, 50], [215, 93, 31]),
        (Profile::of_icc(adobe, false).unwrap(), [150, 120, 100], [162, 121, 99]),
        (Profile::of_code_points(1, 13).unwrap(), [200, 100, 50], [200, 100, 50]),
        (Profile::of_gamma(1.0, None).unwrap(), [55, 10, 128], [128, 56, 188]),
    ] {
        assert_near(converted(&profile, colour), expected);
        assert_near(converted(&profile, [255; 3]), [255; 3]);
        assert_near(converted(&profile, [0; 3]), [0; 3]);
    }
}

#[test]
fn a_grey_profile_is_for_grey_pictures() {
    let linear = icc(&ColorProfile::new_gray_with_gamma(1.0));
    assert!(Profile::of_icc(linear.clone(), false).is_none());
    assert_near(converted(&Profile::of_icc(linear, true).unwrap(), [55; 3]), [128; 3]);
}

#[test]
fn pixels_that_are_not_seen_stay_empty_and_alpha_stays() {
    let profile = Profile::of_icc(icc(&ColorProfile::new_display_p3()), false).unwrap();
    let mut image = RgbaImage::from_fn(2, 1, |x, _| if x == 0 { Rgba([0; 4]) } else { Rgba([200, 100, 50, 7]) });
    profile.convert(&mut image);
    assert_eq!((image.get_pixel(0, 0).0, image.get_pixel(1, 0).0[3]), ([0; 4], 7));
}

#[test]
fn what_is_too_large_or_broken_or_brighter_than_white_is_no_profile() {
    let p3 = icc(&ColorProfile::new_display_p3());
    let long = [p3.clone(), vec![0; MAX_PROFILE]].concat();
    let mut many = p3.clone();
    many[HEADER..HEADER + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut of_inks = p3.clone();
    of_inks[16..20].copy_from_slice(b"CMYK");
    for broken in [Vec::new(), vec![0; 200], p3[..140].to_vec(), long, many, of_inks] {
        assert!(Profile::of_icc(broken, false).is_none());
    }
    for (primaries, transfer) in [(9, 16), (9, 18), (0, 13), (2, 2), (255, 255)] {
        assert!(Profile::of_code_points(primaries, transfer).is_none(), "{primaries} {transfer}");
    }
    let srgb = [[0.3127, 0.3290], [0.64, 0.33], [0.30, 0.60], [0.15, 0.06]];
    assert!(Profile::of_gamma(2.2, Some(srgb)).is_some());
    for point in [[0.3, 0.0], [42_949.0, 0.3], [0.8, 0.9]] {
        assert!(Profile::of_gamma(2.2, Some([point, srgb[1], srgb[2], srgb[3]])).is_none(), "{point:?}");
    }
    assert!(Profile::of_gamma(2.2, Some([srgb[1]; 4])).is_none());
}

/// A profile whose colours are in one table of 16 bits (ICC.1:2022, 10.10), under several names.
fn with_tables(names: &[&[u8; 4]], grid: u8) -> Vec<u8> {
    let mut table = b"mft2\0\0\0\0\x03\x03".to_vec();
    table.extend([grid, 0]);
    for at in 0..9 {
        table.extend(if at % 4 == 0 { 0x1_0000_u32 } else { 0 }.to_be_bytes());
    }
    table.extend([0, 2, 0, 2]);
    let ends = || [0_u16, u16::MAX].iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<_>>().repeat(3);
    table.extend(ends());
    // Grey of medium brightness, whatever the colour is.
    let points = usize::from(grid).pow(3);
    table.extend([[0x80, 0x00], [0x80, 0x80], [0x80, 0x80]].concat().repeat(points));
    table.extend(ends());
    let mut profile = icc(&ColorProfile::new_srgb())[..HEADER].to_vec();
    profile[20..24].copy_from_slice(b"Lab ");
    profile.extend((names.len() as u32).to_be_bytes());
    let at = HEADER + 4 + TAG * names.len();
    for name in names {
        profile.extend(*name);
        profile.extend((at as u32).to_be_bytes());
        profile.extend((table.len() as u32).to_be_bytes());
    }
    profile.extend(table);
    profile
}

#[test]
fn a_table_is_looked_up() {
    for names in [[b"A2B0"], [b"A2B1"]] {
        let profile = Profile::of_icc(with_tables(&names, 9), false).unwrap();
        assert_near(converted(&profile, [10, 20, 30]), [119; 3]);
    }
}

#[test]
fn a_large_table_under_many_names_is_read_once() {
    let began = std::time::Instant::now();
    let profile = with_tables(&[b"A2B0"; MAX_TAGS], 50);
    assert!(profile.len() > 700_000 && profile.len() < MAX_PROFILE);
    let profile = Profile::of_icc(profile, false).unwrap();
    assert_near(converted(&profile, [10, 20, 30]), [119; 3]);
    assert!(began.elapsed() < std::time::Duration::from_secs(1));
    assert!(Profile::of_icc(with_tables(&[b"A2B0"; MAX_TAGS + 1], 2), false).is_none());
}

#[test]
fn a_profile_with_flipped_bits_never_makes_it_panic() {
    let profiles = [
        icc(&ColorProfile::new_display_p3()),
        icc(&ColorProfile::new_adobe_rgb()),
        icc(&ColorProfile::new_gray_with_gamma(2.2)),
        with_tables(&[b"A2B0", b"A2B1"], 2),
    ];
    for profile in profiles {
        for at in 0..profile.len() {
            for flip in [0xff, 0x01, 0x80] {
                let mut profile = profile.clone();
                profile[at] ^= flip;
                if let Some(profile) = Profile::of_icc(profile, true) {
                    profile.convert(&mut RgbaImage::from_pixel(1, 1, Rgba([10, 200, 90, 255])));
                }
            }
        }
    }
}
