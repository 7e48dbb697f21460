//! Backends without kernels in this crate, which use the default bodies.

#[cfg(feature = "ndarray")]
mod ndarray {
    use burn_ndarray::{
        FloatNdArrayElement, IntNdArrayElement, NdArray, NdArrayTensor, QuantElement, SharedArray,
    };

    impl<F, I, Q> crate::ResidualBackend for NdArray<F, I, Q>
    where
        F: FloatNdArrayElement,
        I: IntNdArrayElement,
        Q: QuantElement,
        NdArrayTensor: From<SharedArray<F>>,
        NdArrayTensor: From<SharedArray<I>>,
    {
    }
}

#[cfg(feature = "cubecl")]
mod cubecl {
    use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement};
    use burn_fusion::{Fusion, FusionBackend};

    impl<R, F, I, BT> crate::ResidualBackend for CubeBackend<R, F, I, BT>
    where
        R: CubeRuntime,
        F: FloatElement,
        I: IntElement,
        BT: BoolElement,
    {
    }

    /// `Wgpu`, `Cuda` and `Rocm` wrap a `CubeBackend` in this type.
    impl<B: FusionBackend> crate::ResidualBackend for Fusion<B> {}
}
