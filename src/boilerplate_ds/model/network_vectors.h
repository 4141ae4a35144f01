/* The whole network for one kind of vectors; network_kernel.pyx includes this once for each.

   NAME(f) names a function of this kind and TARGET lets the compiler use its instructions. A vector has LANES
   numbers. A channel is read as a CHANNEL, of which PER are multiplied by as many WEIGHTs and added up in each lane
   by DOT; GROUP lines are read at a time, as many as there are registers for. */

TARGET static inline NUMBERS NAME(side_by_side)(const void *inputs) { /* PER channels, or 2 numbers, in each lane */
    int32_t some;
    memcpy(&some, inputs, 4);
    return SET_NUMBER(some);
}

TARGET static inline FLOATS NAME(worth)(NUMBERS sum, const float *step, const float *more) {
    return ADD(MULTIPLY(TO_FLOATS(sum), LOAD(step)), LOAD(more));
}

/* Round channels as _whole does. */
TARGET static inline void NAME(whole)(int16_t *numbers, const float *channels, const float *grid, float finer) {
    for (int c = 0; c < CHANNELS; c += LANES) {
        FLOATS value = MULTIPLY(LOAD(channels + c), MULTIPLY(LOAD(grid + c), SET(finer)));
        STORE_NUMBERS(numbers + c, TO_NUMBERS(LEAST(value, SET(TOP_CHANNEL * finer))));
    }
}

/* Read the features of up to GROUP lines into their channels; numbers has room for GROUP rows of n_padded, which
   is a multiple of 16. */
TARGET static void NAME(read_features)(
    float *hidden, const float *features, ptrdiff_t n_lines, ptrdiff_t n_features, const layer *in,
    int16_t *numbers, ptrdiff_t n_padded
) {
    const FLOATS top = SET(TOP_FEATURE), bottom = SET(-TOP_FEATURE);
    const int16_t *weight = (const int16_t *) in->weight;
    NUMBERS sum[GROUP][CHANNELS / LANES];
    for (ptrdiff_t i = 0; i < n_lines; i++) {
        const float *row = features + i * n_features;
        int16_t *rounded = numbers + i * n_padded;
        ptrdiff_t k = 0;
        for (; k + LANES <= n_features; k += LANES) {
            FLOATS value = MULTIPLY(LOAD(row + k), LOAD(in->grid + k));
            STORE_NUMBERS(rounded + k, TO_NUMBERS(LEAST(MOST(value, bottom), top)));
        }
        if (k < n_features) {
            float rest[LANES] = {0}, scale[LANES] = {0};
            memcpy(rest, row + k, (n_features - k) * sizeof(float));
            memcpy(scale, in->grid + k, (n_features - k) * sizeof(float));
            FLOATS value = MULTIPLY(LOAD(rest), LOAD(scale));
            STORE_NUMBERS(rounded + k, TO_NUMBERS(LEAST(MOST(value, bottom), top)));
        }
    }
    memset(sum, 0, sizeof sum);
    for (ptrdiff_t k = 0; k < n_features; k += 2, weight += 2 * CHANNELS)
        for (int j = 0; j < CHANNELS / LANES; j++) {
            NUMBERS w = LOAD_NUMBERS(weight + 2 * LANES * j);
            for (int i = 0; i < GROUP; i++)
                sum[i][j] = DOT_PAIRS(sum[i][j], NAME(side_by_side)(numbers + i * n_padded + k), w);
        }
    for (ptrdiff_t i = 0; i < n_lines; i++)
        for (int j = 0; j < CHANNELS / LANES; j++) {
            FLOATS value = NAME(worth)(sum[i][j], in->step + LANES * j, in->bias + LANES * j);
            STORE(hidden + i * CHANNELS + LANES * j, MOST(value, SET(0)));
        }
}

/* Let the lines of a document hear one another; channels has room for a row a line and one more. */
TARGET static void NAME(read_block)(
    float *hidden, ptrdiff_t n_lines, const layer *block, const layer *page, const int64_t *shifts, ptrdiff_t n_taps,
    void *scratch
) {
    CHANNEL *channels = (CHANNEL *) scratch;
    const CHANNEL *nothing = channels + n_lines * CHANNELS;
    int16_t numbers[CHANNELS];
    float mean[CHANNELS], from_page[CHANNELS];
    FLOATS total[CHANNELS / LANES];
    for (int j = 0; j < CHANNELS / LANES; j++)
        total[j] = SET(0);
    memset(channels + n_lines * CHANNELS, 0, CHANNELS * sizeof(CHANNEL));
    for (ptrdiff_t i = 0; i < n_lines; i++)
        for (int j = 0; j < CHANNELS / LANES; j++) {
            FLOATS value = LOAD(hidden + i * CHANNELS + LANES * j);
            total[j] = ADD(total[j], value);
            value = LEAST(MULTIPLY(value, LOAD(block->grid + LANES * j)), SET(TOP_CHANNEL));
            STORE_CHANNELS(channels + i * CHANNELS + LANES * j, TO_NUMBERS(value));
        }
    for (int j = 0; j < CHANNELS / LANES; j++)
        STORE(mean + LANES * j, DIVIDE(total[j], SET((float) n_lines)));
    NAME(whole)(numbers, mean, block->grid, FINER);
    for (int j = 0; j < CHANNELS / LANES; j++) {
        const int16_t *weight = (const int16_t *) page->weight + 2 * LANES * j;
        NUMBERS sum = SET_NUMBER(0);
        for (int k = 0; k < CHANNELS; k += 2, weight += 2 * CHANNELS)
            sum = DOT_PAIRS(sum, NAME(side_by_side)(numbers + k), LOAD_NUMBERS(weight));
        STORE(from_page + LANES * j, NAME(worth)(sum, page->step + LANES * j, page->bias + LANES * j));
    }
    for (ptrdiff_t first = 0; first < n_lines; first += GROUP) {
        ptrdiff_t count = n_lines - first < GROUP ? n_lines - first : GROUP;
        const WEIGHT *weight = (const WEIGHT *) block->weight;
        NUMBERS sum[GROUP][CHANNELS / LANES];
        memset(sum, 0, sizeof sum);
        for (ptrdiff_t tap = 0; tap < n_taps; tap++) {
            const CHANNEL *source[GROUP];
            for (ptrdiff_t i = 0; i < GROUP; i++) {
                ptrdiff_t other = first + i + shifts[tap];
                source[i] = other >= 0 && other < n_lines ? channels + other * CHANNELS : nothing;
            }
            for (int k = 0; k < CHANNELS; k += PER, weight += PER * CHANNELS)
                for (int j = 0; j < CHANNELS / LANES; j++) {
                    NUMBERS w = LOAD_NUMBERS(weight + PER * LANES * j);
                    for (int i = 0; i < GROUP; i++)
                        sum[i][j] = DOT(sum[i][j], NAME(side_by_side)(source[i] + k), w);
                }
        }
        for (ptrdiff_t i = 0; i < count; i++)
            for (int j = 0; j < CHANNELS / LANES; j++) {
                float *row = hidden + (first + i) * CHANNELS + LANES * j;
                FLOATS update = NAME(worth)(sum[i][j], block->step + LANES * j, from_page + LANES * j);
                STORE(row, ADD(LOAD(row), MOST(update, SET(0))));
            }
    }
}

/* Read the logits of a line, up to sixteen of them, from its channels. */
TARGET static void NAME(read_logits)(float *logits, ptrdiff_t n_logits, const float *hidden, const layer *out) {
    int16_t numbers[CHANNELS];
    int32_t sums[16];
    NAME(whole)(numbers, hidden, out->grid, FINER);
    for (int j = 0; j < 16 / LANES; j++) {
        const int16_t *weight = (const int16_t *) out->weight + 2 * LANES * j;
        NUMBERS sum = SET_NUMBER(0);
        for (int k = 0; k < CHANNELS; k += 2, weight += 32)
            sum = DOT_PAIRS(sum, NAME(side_by_side)(numbers + k), LOAD_NUMBERS(weight));
        memcpy(sums + LANES * j, &sum, sizeof sum);
    }
    for (ptrdiff_t c = 0; c < n_logits; c++)
        logits[c] = (float) sums[c] * out->step[c] + out->bias[c];
}

/* Read a document's lines; numbers has room for GROUP rows of n_padded, scratch for what read_block needs. */
TARGET static void NAME(read_document)(
    float *logits, ptrdiff_t n_logits, const float *features, ptrdiff_t n_lines, ptrdiff_t n_features,
    const network *layers, float *hidden, int16_t *numbers, ptrdiff_t n_padded, void *scratch
) {
    for (ptrdiff_t i = 0; i < n_lines; i += GROUP)
        NAME(read_features)(
            hidden + i * CHANNELS, features + i * n_features, n_lines - i < GROUP ? n_lines - i : GROUP, n_features,
            &layers->in, numbers, n_padded);
    for (ptrdiff_t b = 0; b < layers->n_blocks; b++)
        NAME(read_block)(
            hidden, n_lines, &layers->block[b], &layers->page[b], layers->shifts[b], layers->n_taps[b], scratch);
    for (ptrdiff_t i = 0; i < n_lines; i++)
        NAME(read_logits)(logits + i * n_logits, n_logits, hidden + i * CHANNELS, &layers->out);
}

#undef NAME
#undef TARGET
#undef LANES
#undef GROUP
#undef FLOATS
#undef NUMBERS
#undef LOAD
#undef STORE
#undef SET
#undef ADD
#undef MULTIPLY
#undef DIVIDE
#undef LEAST
#undef MOST
#undef TO_NUMBERS
#undef TO_FLOATS
#undef SET_NUMBER
#undef LOAD_NUMBERS
#undef STORE_NUMBERS
#undef DOT_PAIRS
#undef CHANNEL
#undef WEIGHT
#undef PER
#undef STORE_CHANNELS
#undef DOT
