//! Texts that are not JSON, each with the offset and kind of its error.

use crate::json::MalformedKind::{self, *};
use crate::json::{Malformed, parse, parse_unique};

const VALUE: MalformedKind = Expected("a value");
const KEY: MalformedKind = Expected("a key in double quotes");
const COLON: MalformedKind = Expected("`:`");
const IN_ARRAY: MalformedKind = Expected("`,` or `]`");
const IN_OBJECT: MalformedKind = Expected("`,` or `}`");

const REFUSED: &[(&str, &[u8], usize, MalformedKind)] = &[
    ("n_empty", b"", 0, UnexpectedEnd),
    ("n_only_space", b" \n", 2, UnexpectedEnd),
    ("n_byte_order_mark", b"\xef\xbb\xbf{}", 0, ByteOrderMark),
    ("n_byte_order_mark_alone", b"\xef\xbb\xbf", 0, ByteOrderMark),
    ("n_byte_order_mark_after_space", b" \xef\xbb\xbf{}", 1, VALUE),
    ("n_byte_order_mark_at_end", b"{}\xef\xbb\xbf", 2, TrailingData),
    ("n_utf16_little_endian", b"[\0]\0", 1, VALUE),
    ("n_utf16_byte_order_mark", b"\xff\xfe[\0]\0", 0, InvalidUtf8),
    ("n_space_no_break", b"\xc2\xa01", 0, VALUE),
    ("n_space_form_feed", b"[\x0c]", 1, VALUE),
    ("n_space_vertical_tab", b"\x0b1", 0, VALUE),
    ("n_space_line_separator", b"[\xe2\x80\xa8]", 1, VALUE),
    ("n_space_word_joiner", b"[\xe2\x81\xa0]", 1, VALUE),
    ("n_nul_alone", b"\0", 0, VALUE),
    ("n_nul_at_end", b"1\0", 1, TrailingData),
    ("n_literal_cut", b"nul", 0, VALUE),
    ("n_literal_cut_true", b"[tru]", 1, VALUE),
    ("n_literal_capital", b"True", 0, VALUE),
    ("n_literal_upper", b"[NULL]", 1, VALUE),
    ("n_literal_longer", b"nullx", 4, TrailingData),
    ("n_literal_twice", b"[truefalse]", 5, IN_ARRAY),
    ("n_literal_undefined", b"undefined", 0, VALUE),
    ("n_trailing_value", b"1 2", 2, TrailingData),
    ("n_trailing_bracket", b"[]]", 2, TrailingData),
    ("n_trailing_brace", b"{}}", 2, TrailingData),
    ("n_trailing_comma", b"1,", 1, TrailingData),
    ("n_trailing_comment", b"{}//", 2, TrailingData),
    ("n_trailing_object", b"{}{}", 2, TrailingData),
    ("n_trailing_hash", b"[]#", 2, TrailingData),
    ("n_comment_before", b"/**/1", 0, VALUE),
    ("n_comment_in_object", b"{/**/}", 1, KEY),
    ("n_array_open", b"[", 1, UnexpectedEnd),
    ("n_array_open_after_item", b"[1", 2, UnexpectedEnd),
    ("n_array_open_after_comma", b"[1,", 3, UnexpectedEnd),
    ("n_array_close", b"]", 0, VALUE),
    ("n_array_comma_alone", b"[,]", 1, VALUE),
    ("n_array_comma_first", b"[,1]", 1, VALUE),
    ("n_array_comma_last", b"[1,]", 3, VALUE),
    ("n_array_comma_twice", b"[1,,2]", 3, VALUE),
    ("n_array_no_comma", b"[1 2]", 3, IN_ARRAY),
    ("n_array_colon", b"[\"a\":1]", 4, IN_ARRAY),
    ("n_array_semicolon", b"[1;2]", 2, IN_ARRAY),
    ("n_array_closed_as_object", b"[1}", 2, IN_ARRAY),
    ("n_array_inner_open", b"[[1]", 4, UnexpectedEnd),
    ("n_object_open", b"{", 1, UnexpectedEnd),
    ("n_object_open_after_key", b"{\"a\"", 4, UnexpectedEnd),
    ("n_object_open_after_colon", b"{\"a\":", 5, UnexpectedEnd),
    ("n_object_open_after_value", b"{\"a\":1", 6, UnexpectedEnd),
    ("n_object_open_after_comma", b"{\"a\":1,", 7, UnexpectedEnd),
    ("n_object_close", b"}", 0, VALUE),
    ("n_object_closed_as_array", b"{\"a\":1]", 6, IN_OBJECT),
    ("n_object_comma_alone", b"{,}", 1, KEY),
    ("n_object_comma_last", b"{\"a\":1,}", 7, KEY),
    ("n_object_comma_twice", b"{\"a\":1,,\"b\":2}", 7, KEY),
    ("n_object_no_comma", b"{\"a\":1 \"b\":2}", 7, IN_OBJECT),
    ("n_object_no_colon", b"{\"a\" 1}", 5, COLON),
    ("n_object_no_value", b"{\"a\":}", 5, VALUE),
    ("n_object_key_alone", b"{\"a\"}", 4, COLON),
    ("n_object_comma_for_colon", b"{\"a\",1}", 4, COLON),
    ("n_object_colon_twice", b"{\"a\"::1}", 5, VALUE),
    ("n_object_key_bare", b"{a:1}", 1, KEY),
    ("n_object_key_single_quoted", b"{'a':1}", 1, KEY),
    ("n_object_key_number", b"{1:1}", 1, KEY),
    ("n_object_key_null", b"{null:1}", 1, KEY),
    ("n_object_key_array", b"{[]:1}", 1, KEY),
    ("n_number_plus", b"+1", 0, VALUE),
    ("n_number_minus_alone", b"-", 1, UnexpectedEnd),
    ("n_number_minus_letter", b"-x", 1, InvalidNumber),
    ("n_number_minus_twice", b"--1", 1, InvalidNumber),
    ("n_number_minus_space", b"- 1", 1, InvalidNumber),
    ("n_number_minus_infinity", b"-Infinity", 1, InvalidNumber),
    ("n_number_infinity", b"Infinity", 0, VALUE),
    ("n_number_nan", b"[NaN]", 1, VALUE),
    ("n_number_nan_lower", b"nan", 0, VALUE),
    ("n_number_leading_zero", b"01", 1, TrailingData),
    ("n_number_leading_zero_in_array", b"[01]", 2, IN_ARRAY),
    ("n_number_leading_zero_negative", b"-01", 2, TrailingData),
    ("n_number_zeros", b"00", 1, TrailingData),
    ("n_number_no_integer", b".5", 0, VALUE),
    ("n_number_no_integer_negative", b"-.5", 1, InvalidNumber),
    ("n_number_no_fraction", b"1.", 2, UnexpectedEnd),
    ("n_number_no_fraction_in_array", b"[1.]", 3, InvalidNumber),
    ("n_number_no_fraction_exponent", b"1.e1", 2, InvalidNumber),
    ("n_number_two_points", b"1.2.3", 3, TrailingData),
    ("n_number_no_exponent", b"1e", 2, UnexpectedEnd),
    ("n_number_no_exponent_in_array", b"[1e]", 3, InvalidNumber),
    ("n_number_no_exponent_after_plus", b"1e+", 3, UnexpectedEnd),
    ("n_number_exponent_two_signs", b"1e+-1", 3, InvalidNumber),
    ("n_number_exponent_fraction", b"1e1.5", 3, TrailingData),
    ("n_number_exponent_twice", b"1e1e1", 3, TrailingData),
    ("n_number_hexadecimal", b"0x1F", 1, TrailingData),
    ("n_number_grouped", b"1 000", 2, TrailingData),
    ("n_number_underscore", b"1_000", 1, TrailingData),
    ("n_number_suffix", b"1f", 1, TrailingData),
    ("n_number_full_width", b"\xef\xbc\x91", 0, VALUE),
    ("n_number_then_full_width", b"1.\xef\xbc\x91", 2, InvalidNumber),
    ("n_string_bare", b"abc", 0, VALUE),
    ("n_string_single_quotes", b"'a'", 0, VALUE),
    ("n_string_typographic_quotes", b"\xe2\x80\x9ca\xe2\x80\x9d", 0, VALUE),
    ("n_string_open", b"\"", 1, UnexpectedEnd),
    ("n_string_open_after_text", b"\"abc", 4, UnexpectedEnd),
    ("n_string_open_after_escape", b"\"a\\\"", 4, UnexpectedEnd),
    ("n_string_cut_in_escape", b"\"\\", 1, InvalidEscape),
    ("n_string_raw_nul", b"\"a\0b\"", 2, ControlCharacter),
    ("n_string_raw_tab", b"\"\t\"", 1, ControlCharacter),
    ("n_string_raw_newline", b"[\"a\nb\"]", 3, ControlCharacter),
    ("n_string_raw_carriage_return", b"\"\r\"", 1, ControlCharacter),
    ("n_string_raw_unit_separator", b"\"\x1f\"", 1, ControlCharacter),
    ("n_string_raw_control_in_key", b"{\"a\x01\":1}", 3, ControlCharacter),
    ("n_string_escape_unknown", b"\"\\a\"", 1, InvalidEscape),
    ("n_string_escape_single_quote", b"\"\\'\"", 1, InvalidEscape),
    ("n_string_escape_hex", b"\"\\x41\"", 1, InvalidEscape),
    ("n_string_escape_octal", b"\"\\0\"", 1, InvalidEscape),
    ("n_string_escape_vertical_tab", b"\"\\v\"", 1, InvalidEscape),
    ("n_string_escape_newline", b"\"\\\n\"", 1, InvalidEscape),
    ("n_string_escape_non_ascii", b"\"\\\xc3\xa9\"", 1, InvalidEscape),
    ("n_string_escape_capital_u", b"\"\\U0041\"", 1, InvalidEscape),
    ("n_string_escape_u_alone", b"\"\\u\"", 1, InvalidEscape),
    ("n_string_escape_u_three_digits", b"\"\\u004\"", 1, InvalidEscape),
    ("n_string_escape_u_not_hex", b"\"\\u00g0\"", 1, InvalidEscape),
    ("n_string_escape_u_sign", b"\"\\u+041\"", 1, InvalidEscape),
    ("n_string_escape_u_braces", b"\"\\u{41}\"", 1, InvalidEscape),
    ("n_string_escape_u_cut", b"\"\\u00", 1, InvalidEscape),
    ("n_string_escape_u_non_ascii", b"\"\\u00\xc3\xa9\"", 1, InvalidEscape),
    ("n_string_escape_u_across_a_character", b"\"\\u004\xc3\xa9\"", 1, InvalidEscape),
    ("n_surrogate_high", b"\"\\ud800\"", 1, LoneSurrogate),
    ("n_surrogate_low", b"\"\\udc00\"", 1, LoneSurrogate),
    ("n_surrogate_last_low", b"\"\\uDFFF\"", 1, LoneSurrogate),
    ("n_surrogates_swapped", b"\"\\ude00\\ud83d\"", 1, LoneSurrogate),
    ("n_surrogate_high_twice", b"\"\\ud83d\\ud83d\"", 1, LoneSurrogate),
    ("n_surrogate_high_then_letter", b"\"\\ud83da\"", 1, LoneSurrogate),
    ("n_surrogate_high_then_escaped_letter", b"\"\\ud83d\\u0061\"", 1, LoneSurrogate),
    ("n_surrogate_high_then_newline", b"\"\\ud83d\\n\"", 1, LoneSurrogate),
    ("n_surrogate_high_then_cut_escape", b"\"\\ud83d\\ude0\"", 1, LoneSurrogate),
    ("n_surrogate_high_at_end", b"\"\\ud83d", 1, LoneSurrogate),
    ("n_surrogate_after_pair", b"\"\\ud83d\\ude00\\ude00\"", 13, LoneSurrogate),
    ("n_surrogate_in_key", b"{\"\\ud800\":1}", 2, LoneSurrogate),
    ("n_surrogate_in_replaced_member", b"{\"a\":\"\\ud800\",\"a\":1}", 6, LoneSurrogate),
    ("n_surrogate_deep_in_unread_member", b"{\"x\":[{\"y\":\"\\udfff\"}]}", 12, LoneSurrogate),
    ("n_utf8_lone_continuation", b"\"\x80\"", 1, InvalidUtf8),
    ("n_utf8_cut_in_string", b"\"\xe2\x82\"", 1, InvalidUtf8),
    ("n_utf8_cut_at_end", b"\"\xc3", 1, InvalidUtf8),
    ("n_utf8_overlong", b"\"\xc0\xaf\"", 1, InvalidUtf8),
    ("n_utf8_overlong_nul", b"\"\xc0\x80\"", 1, InvalidUtf8),
    ("n_utf8_encoded_surrogate", b"\"\xed\xa0\x80\"", 1, InvalidUtf8),
    ("n_utf8_surrogate_pair_encoded", b"\"\xed\xa0\xbd\xed\xb8\x80\"", 1, InvalidUtf8),
    ("n_utf8_beyond_unicode", b"\"\xf4\x90\x80\x80\"", 1, InvalidUtf8),
    ("n_utf8_never_a_byte", b"\"\xff\"", 1, InvalidUtf8),
    ("n_utf8_latin_1", b"\"caf\xe9\"", 4, InvalidUtf8),
    ("n_utf8_in_key", b"{\"\xff\":1}", 2, InvalidUtf8),
    ("n_utf8_in_replaced_member", b"{\"a\":\"\xff\",\"a\":1}", 6, InvalidUtf8),
    ("n_utf8_outside_strings", b"[1,\xff]", 3, InvalidUtf8),
    ("n_utf8_after_the_value", b"{} \xff", 3, InvalidUtf8),
];

#[test]
fn every_text_that_is_not_json_is_refused_at_the_offset_of_its_error() {
    for &(name, text, offset, kind) in REFUSED {
        assert_eq!(parse(text), Err(Malformed { offset, kind }), "{name}");
    }
}

#[test]
fn every_refused_text_is_refused_by_serde_json_too() {
    for (name, text, ..) in REFUSED {
        assert!(serde_json::from_slice::<serde_json::Value>(text).is_err(), "{name}");
    }
}

#[test]
fn the_message_has_the_offset_and_the_error_without_quoting_the_text() {
    let error = parse(br#"{"secret" 1}"#).expect_err("a colon is missing");
    assert_eq!(error.to_string(), "malformed JSON at byte 10: expected `:`");
}

#[test]
fn a_duplicate_key_is_refused_where_keys_must_be_unique() {
    let twice = |text: &[u8]| parse_unique(text).map_err(|malformed| malformed.kind);
    assert_eq!(twice(br#"{"a":1,"b":2,"a":1}"#), Err(DuplicateKey));
    assert_eq!(twice(br#"{"a":[{"b":1,"\u0062":2}]}"#), Err(DuplicateKey));
    assert!(twice(br#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#).is_ok());
    assert!(parse(br#"{"a":1,"a":2}"#).is_ok());
}
