#include "ops/kernels/fourier_plan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>

#include "ops/kernels/fourier.hpp"

namespace vmaprun {
namespace {

constexpr std::int64_t largest_leaf = 2048, shortest_split = 256, largest_prime = 61;

// ---- roots of unity, within about half a unit in the last place

struct Root {
    double re, im;
};

// exp(-2 pi i k / n) for 0 <= k <= n / 8: 2 pi k / n as a sum of two numbers.
Root root_of_first_octant(std::int64_t k, std::int64_t n) {
    constexpr double turn = 6.283185307179586, rest = 2.4492935982947064e-16;
    const auto times = static_cast<double>(k), over = static_cast<double>(n);
    const double product = turn * times, lost = std::fma(turn, times, -product) + rest * times;
    const double angle = product / over, low = (std::fma(-angle, over, product) + lost) / over;
    const double sine = std::sin(angle), cosine = std::cos(angle);
    return {cosine - low * sine, -(sine + low * cosine)};
}

// Reflected into the first octant, which is exact.
Root root_of_unity(std::int64_t k, std::int64_t n) {
    if (2 * k > n) {
        const Root mirrored = root_of_unity(n - k, n);
        return {mirrored.re, -mirrored.im};
    }
    if (4 * k > n) { // the half turn less this
        const Root mirrored = root_of_unity(n - 2 * k, 2 * n);
        return {-mirrored.re, mirrored.im};
    }
    if (8 * k > n) { // the quarter turn less this
        const Root mirrored = root_of_first_octant(n - 4 * k, 4 * n);
        return {-mirrored.im, -mirrored.re};
    }
    return root_of_first_octant(k, n);
}

// All of exp(-2 pi i k / n), k < n: a multiple of 8 needs an eighth of them computed.
std::vector<Root> roots_of_unity(std::int64_t n) {
    std::vector<Root> roots(static_cast<std::size_t>(n));
    const auto at = [&](std::int64_t k) -> Root& { return roots[static_cast<std::size_t>(k)]; };
    if (n % 8 != 0) {
        for (std::int64_t k = 0; k < n; ++k) at(k) = root_of_unity(k, n);
        return roots;
    }
    const std::int64_t eighth = n / 8, quarter = n / 4, half = n / 2;
    for (std::int64_t k = 0; k <= eighth; ++k) at(k) = root_of_first_octant(k, n);
    for (std::int64_t k = eighth + 1; k <= quarter; ++k) at(k) = {-at(quarter - k).im, -at(quarter - k).re};
    for (std::int64_t k = quarter + 1; k <= half; ++k) at(k) = {-at(half - k).re, at(half - k).im};
    for (std::int64_t k = half + 1; k < n; ++k) at(k) = {at(n - k).re, -at(n - k).im};
    return roots;
}

// ---- factors

std::vector<int> radices_of(std::int64_t n) {
    std::vector<int> radices;
    int twos = 0;
    for (; n % 2 == 0; n /= 2) ++twos;
    while (twos > 4 || twos == 3) radices.push_back(8), twos -= 3;
    while (twos >= 2) radices.push_back(4), twos -= 2;
    if (twos == 1) radices.push_back(2);
    for (std::int64_t p = 3; n > 1; p += 2) {
        for (; n % p == 0; n /= p) radices.push_back(static_cast<int>(p));
    }
    return radices;
}

std::int64_t largest_prime_factor(std::int64_t n) {
    std::int64_t largest = 1;
    for (std::int64_t p = 2; p * p <= n; ++p) {
        for (; n % p == 0; n /= p) largest = p;
    }
    return std::max(largest, n);
}

// About what passes cost an element.
double cost_of_passes(std::int64_t n) {
    double cost = 1.5; // reading and writing
    for (const int radix : radices_of(n)) cost += radix == 8 ? 1.6 : radix == 4 ? 1.2 : radix == 2 ? 1.0 : 1.0 + 0.4 * radix;
    return cost;
}

// The divisor pair that is cheapest in groups of 16 lanes; {n, 1}: none.
std::pair<std::int64_t, std::int64_t> cheapest_split(std::int64_t n) {
    const auto padded = [](std::int64_t m) { return static_cast<double>((m + 15) / 16 * 16); };
    std::pair<std::int64_t, std::int64_t> best{n, 1};
    double least = std::numeric_limits<double>::infinity();
    for (std::int64_t n1 = 2; n1 <= largest_leaf && n1 * 2 <= n; ++n1) {
        if (n % n1 != 0 || n / n1 > largest_leaf) continue;
        const std::int64_t n2 = n / n1;
        const double cost = static_cast<double>(n1) * padded(n2) * cost_of_passes(n1) + static_cast<double>(n2) * padded(n1) * cost_of_passes(n2);
        if (cost < least) least = cost, best = {n1, n2};
    }
    return best;
}

// The divisor up to the largest leaf that leaves the shortest rows, where even those are too long for one go.
std::int64_t largest_columns(std::int64_t n) {
    std::int64_t n1 = largest_leaf;
    while (n % n1 != 0) --n1;
    return n1;
}

std::int64_t next_smooth_length(std::int64_t least) {
    std::int64_t best = 16;
    while (best < least) best *= 2;
    for (std::int64_t five = 1; five < best; five *= 5) {
        for (std::int64_t three = five; three < best; three *= 3) {
            std::int64_t n = three * 16;
            while (n < least) n *= 2;
            best = std::min(best, n);
        }
    }
    return best;
}

// ---- plans

template <class T> void push(std::vector<T>& numbers, Root root) {
    numbers.push_back(static_cast<T>(root.re));
    numbers.push_back(static_cast<T>(root.im));
}

// exp(-2 pi i k lane / n) of a vector's lanes: all re, then all im.
template <class T> void push_lanes(std::vector<T>& numbers, std::int64_t k, std::int64_t n, std::int64_t width) {
    const std::size_t first = numbers.size();
    numbers.resize(first + static_cast<std::size_t>(2 * width));
    for (std::int64_t lane = 0; lane < width; ++lane) {
        const Root root = root_of_unity(k * lane % n, n);
        numbers[first + static_cast<std::size_t>(lane)] = static_cast<T>(root.re);
        numbers[first + static_cast<std::size_t>(width + lane)] = static_cast<T>(root.im);
    }
}

template <class T> FourierLeaf<T> make_leaf(FourierPlan<T>& plan, std::int64_t length) {
    const std::vector<int>& radices = plan.radices.emplace_back(radices_of(length));
    std::vector<T>& twiddles = plan.numbers.emplace_back();
    const std::vector<Root> roots = roots_of_unity(length);
    std::int64_t m = length;
    for (const int radix : radices) {
        const std::int64_t step = length / m;
        if (radix % 2 == 1) {
            for (std::int64_t j = 0; j < radix; ++j) twiddles.push_back(static_cast<T>(roots[static_cast<std::size_t>(j * (length / radix))].re));
            for (std::int64_t j = 0; j < radix; ++j) twiddles.push_back(static_cast<T>(-roots[static_cast<std::size_t>(j * (length / radix))].im));
        }
        m /= radix;
        for (std::int64_t p = 1; p < m; ++p) {
            for (std::int64_t k = 1; k < radix; ++k) push(twiddles, roots[static_cast<std::size_t>(p * k * step)]);
        }
    }
    return {length, static_cast<std::int64_t>(radices.size()), radices.data(), twiddles.data()};
}

template <class T> void make_split(FourierPlan<T>& plan, std::int64_t n1, std::int64_t n2) {
    const std::int64_t n = n1 * n2, width = fourier_kernels<T>().width, groups = (n2 + width - 1) / width;
    plan.scheme = FourierScheme::split;
    plan.split.n1 = n1, plan.split.n2 = n2;
    plan.split.first = make_leaf(plan, n1);
    if (n2 <= largest_leaf) plan.split.second = make_leaf(plan, n2);
    else plan.row = fourier_plan<T>(n2);
    std::vector<T>&coarse = plan.numbers.emplace_back(), &fine = plan.numbers.emplace_back();
    const bool even = n % width == 0;
    const std::vector<Root> steps = even ? roots_of_unity(n / width) : std::vector<Root>();
    for (std::int64_t k = 0; k < n1; ++k) {
        for (std::int64_t group = 0; group < groups; ++group) {
            push(coarse, even ? steps[static_cast<std::size_t>(k * group % (n / width))] : root_of_unity(k * group * width % n, n));
        }
        push_lanes(fine, k, n, width);
    }
    plan.split.coarse = coarse.data(), plan.split.fine = fine.data();
}

template <class T> void make_chirp(FourierPlan<T>& plan, std::int64_t n) {
    plan.scheme = FourierScheme::chirp;
    const std::int64_t length = next_smooth_length(2 * n - 1);
    plan.padded = fourier_plan<double>(length);
    std::vector<double> conjugate(static_cast<std::size_t>(2 * length), 0.0);
    std::int64_t square = 0; // j² modulo 2n
    for (std::int64_t j = 0; j < n; ++j) {
        const Root root = root_of_unity(square, 2 * n);
        push(plan.chirp, root);
        for (const std::int64_t at : {j, (length - j) % length}) {
            conjugate[static_cast<std::size_t>(2 * at)] = root.re;
            conjugate[static_cast<std::size_t>(2 * at + 1)] = -root.im;
        }
        square = (square + 2 * j + 1) % (2 * n);
    }
    plan.chirp_transform.resize(conjugate.size());
    fourier_transform(*plan.padded, conjugate.data(), plan.chirp_transform.data(), FourierWay::forward, 1 / static_cast<double>(length), nullptr);
}

template <class T> std::shared_ptr<const FourierPlan<T>> make_plan(std::int64_t n) {
    auto plan = std::make_shared<FourierPlan<T>>();
    plan->length = n;
    if (largest_prime_factor(n) > largest_prime) {
        make_chirp(*plan, n);
        return plan;
    }
    const auto [n1, n2] = n < shortest_split ? std::pair(n, std::int64_t{1}) : cheapest_split(n);
    if (n2 != 1 && (n > largest_leaf || std::min(n1, n2) >= 8)) make_split(*plan, n1, n2);
    else if (n <= largest_leaf) plan->leaf = make_leaf(*plan, n);
    else make_split(*plan, largest_columns(n), n / largest_columns(n));
    return plan;
}

// Some plans by length; all are dropped when their lengths together pass 2^22.
template <class Plan> class Kept {
  public:
    template <class Make> std::shared_ptr<const Plan> get(std::int64_t length, const Make& make) {
        {
            const std::lock_guard lock(mutex_);
            if (const auto found = plans_.find(length); found != plans_.end()) return found->second;
        }
        std::shared_ptr<const Plan> plan = make(length); // makes others on the way
        const std::lock_guard lock(mutex_);
        total_ += length;
        if (total_ > std::int64_t{1} << 22) plans_.clear(), total_ = length;
        return plans_.emplace(length, plan).first->second;
    }

  private:
    std::mutex mutex_;
    std::map<std::int64_t, std::shared_ptr<const Plan>> plans_;
    std::int64_t total_ = 0;
};

template <class T> std::shared_ptr<const RealTwiddles<T>> make_real_twiddles(std::int64_t h) {
    auto twiddles = std::make_shared<RealTwiddles<T>>();
    const std::int64_t width = fourier_kernels<T>().width;
    const bool even = 2 * h % width == 0;
    const std::vector<Root> steps = even ? roots_of_unity(2 * h / width) : std::vector<Root>();
    for (std::int64_t k = 0; k < h; k += width) push(twiddles->coarse, even ? steps[static_cast<std::size_t>(k / width)] : root_of_unity(k, 2 * h));
    push_lanes(twiddles->fine, 1, 2 * h, width);
    return twiddles;
}

} // namespace

template <class T> std::shared_ptr<const FourierPlan<T>> fourier_plan(std::int64_t length) {
    static Kept<FourierPlan<T>> kept;
    return kept.get(length, make_plan<T>);
}

template <class T> std::shared_ptr<const RealTwiddles<T>> real_twiddles(std::int64_t h) {
    static Kept<RealTwiddles<T>> kept;
    return kept.get(h, make_real_twiddles<T>);
}

template std::shared_ptr<const FourierPlan<float>> fourier_plan<float>(std::int64_t);
template std::shared_ptr<const FourierPlan<double>> fourier_plan<double>(std::int64_t);
template std::shared_ptr<const RealTwiddles<float>> real_twiddles<float>(std::int64_t);
template std::shared_ptr<const RealTwiddles<double>> real_twiddles<double>(std::int64_t);

} // namespace vmaprun
