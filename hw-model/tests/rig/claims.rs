// Included by each conformance test file: one test a claim, by the claim's own name.
macro_rules! one_test_a_claim {
    ($( $module:ident::$claim:ident, )*) => {
        $(
            #[test]
            fn $claim() {
                if let Err(unfit) = hw_model::conformance::$claim(&RIG) {
                    panic!("{unfit}");
                }
            }
        )*
    };
}
hw_model::for_each_claim!(one_test_a_claim);
