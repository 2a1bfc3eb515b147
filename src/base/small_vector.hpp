// A std::vector of a few plain elements that lie in itself: shapes and strides, which every look at an array copies. What is
// longer than N goes to the heap. As far as it is used here it has the interface of std::vector.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <type_traits>
#include <vector>

namespace vmaprun {

template <class T, std::size_t N> class SmallVector {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    using value_type = T;
    using size_type = std::size_t;
    using difference_type = std::ptrdiff_t;
    using reference = T&;
    using const_reference = const T&;
    using iterator = T*;
    using const_iterator = const T*;

    SmallVector() = default;
    explicit SmallVector(std::size_t size, T value = T{}) { resize(size, value); }
    SmallVector(std::initializer_list<T> values) { assign(values.begin(), values.end()); }
    template <std::input_iterator It> SmallVector(It first, It last) { assign(first, last); }
    SmallVector(const std::vector<T>& values) { assign(values.begin(), values.end()); } // NOLINT
    SmallVector(const SmallVector& other) { copy(other); }
    SmallVector(SmallVector&& other) noexcept { take(other); }
    SmallVector& operator=(const SmallVector& other) {
        if (this != &other) copy(other);
        return *this;
    }
    SmallVector& operator=(SmallVector&& other) noexcept {
        if (this != &other) take(other);
        return *this;
    }

    T* data() { return heap_ ? heap_.get() : own_; }
    const T* data() const { return heap_ ? heap_.get() : own_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T* begin() { return data(); }
    T* end() { return data() + size_; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + size_; }
    auto rbegin() const { return std::reverse_iterator(end()); }
    auto rend() const { return std::reverse_iterator(begin()); }
    T& operator[](std::size_t i) { return data()[i]; }
    const T& operator[](std::size_t i) const { return data()[i]; }
    T& front() { return data()[0]; }
    const T& front() const { return data()[0]; }
    T& back() { return data()[size_ - 1]; }
    const T& back() const { return data()[size_ - 1]; }

    void clear() { size_ = 0; }
    void pop_back() { --size_; }
    void push_back(T value) {
        reserve(size_ + 1);
        data()[size_++] = value;
    }
    template <class... Arguments> T& emplace_back(Arguments&&... arguments) {
        push_back(T(std::forward<Arguments>(arguments)...));
        return back();
    }
    void resize(std::size_t size, T value = T{}) {
        reserve(size);
        if (size > size_) std::fill(data() + size_, data() + size, value);
        size_ = size;
    }
    void assign(std::size_t size, T value) {
        clear();
        resize(size, value);
    }
    template <std::input_iterator It> void assign(It first, It last) {
        clear();
        if constexpr (std::forward_iterator<It>) {
            const auto count = static_cast<std::size_t>(std::distance(first, last));
            reserve(count);
            std::copy(first, last, data());
            size_ = count;
        } else {
            for (; first != last; ++first) push_back(*first);
        }
    }
    T* insert(const T* at, T value) { return insert(at, &value, &value + 1); }
    T* insert(const T* at, std::size_t count, T value) {
        T* to = open(at, count);
        std::fill_n(to, count, value);
        return to;
    }
    // [first, last) is not of this vector.
    template <std::forward_iterator It> T* insert(const T* at, It first, It last) {
        T* to = open(at, static_cast<std::size_t>(std::distance(first, last)));
        std::copy(first, last, to);
        return to;
    }
    T* erase(const T* at) { return erase(at, at + 1); }
    T* erase(const T* first, const T* last) {
        T* to = data() + (first - data());
        std::copy(last, static_cast<const T*>(end()), to);
        size_ -= static_cast<std::size_t>(last - first);
        return to;
    }
    void reserve(std::size_t wanted) {
        if (wanted <= capacity_) return;
        const std::size_t larger = std::max(wanted, 2 * capacity_);
        std::unique_ptr<T[]> heap(new T[larger]);
        std::copy_n(data(), size_, heap.get());
        heap_ = std::move(heap);
        capacity_ = larger;
    }

    bool operator==(const SmallVector& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }
    auto operator<=>(const SmallVector& other) const { return std::lexicographical_compare_three_way(begin(), end(), other.begin(), other.end()); }

  private:
    // Room for `count` elements at a place: where they go.
    T* open(const T* at, std::size_t count) {
        const std::size_t place = static_cast<std::size_t>(at - data()), old = size_;
        reserve(size_ + count);
        size_ += count;
        std::copy_backward(data() + place, data() + old, data() + size_);
        return data() + place;
    }
    // All of what lies in itself at once: a size that the compiler knows.
    void copy(const SmallVector& other) {
        if (heap_ || other.heap_) return assign(other.begin(), other.end());
        std::memcpy(own_, other.own_, sizeof own_);
        size_ = other.size_;
    }
    void take(SmallVector& other) {
        if (other.heap_) {
            heap_ = std::move(other.heap_);
            capacity_ = other.capacity_;
            other.capacity_ = N;
            size_ = other.size_;
        } else {
            copy(other);
        }
        other.size_ = 0;
    }

    std::size_t size_ = 0, capacity_ = N;
    std::unique_ptr<T[]> heap_;
    T own_[N]; // not initialised beyond size_
};

template <class T, std::size_t N, class Predicate> std::size_t erase_if(SmallVector<T, N>& vector, Predicate predicate) {
    T* const rest = std::remove_if(vector.begin(), vector.end(), predicate);
    const auto count = static_cast<std::size_t>(vector.end() - rest);
    vector.erase(rest, vector.end());
    return count;
}

} // namespace vmaprun
